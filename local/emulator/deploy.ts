/** Deploys the template to a running emulator with the CDK's own program, and reads what a front door needs to know. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { grantBatches } from './batch-grants.ts';
import { ACCOUNT, clientOptions, environmentOf, REGION, type Target, trusted } from './target.ts';

export interface Deployed {
  /** The stack's outputs, by name. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly publishKey: string;
}

const BOOTSTRAP = fileURLToPath(new URL('bootstrap.yaml', import.meta.url));

/** Whether the emulator answers. Rejects as long as its certificate is not there. */
export async function answers(target: Target): Promise<boolean> {
  const url = new URL(target.emulator.health, target.endpoint);
  const ca = url.protocol === 'https:' ? trusted(target) : null;
  return new Promise((resolve) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, ca === null ? {} : { ca }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.setTimeout(2_000, () => request.destroy());
    request.on('error', () => resolve(false));
    request.end();
  });
}

/** Deploys with these settings. Throws an error with the program's output if that fails. */
export async function deploy(target: Target, settings: NodeJS.ProcessEnv, progress: (step: string) => void): Promise<Deployed> {
  const folder = mkdtempSync(join(tmpdir(), 'realtime-push-deploy-'));
  const environment = {
    ...settings,
    ...environmentOf(target),
    CALLBACK_ENDPOINT: target.emulator.callback(target.endpoint.replace('//localhost', '//127.0.0.1')),
  };
  try {
    progress('bootstrapping');
    await cdk(['bootstrap', '-c', 'stage=local', `aws://${ACCOUNT}/${REGION}`, '--template', BOOTSTRAP], environment);
    progress('deploying');
    const file = join(folder, 'outputs.json');
    const out = join(folder, 'cdk.out');
    await cdk(['deploy', '-c', 'stage=local', '--output', out, '--require-approval', 'never', '--outputs-file', file], environment);
    const [[stack, outputs] = ['', {}]] = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, string>>);
    if (target.emulator.lacks.includes('batch-grants')) await grantBatches(stack, target);
    return { outputs, publishKey: await readSecret(outputs['PublishKeySecret'] ?? '', target) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function cdk(options: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('npx', ['--no', 'cdk', ...options], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    child.once('error', reject);
    child.once('exit', (status) => {
      if (status === 0) resolve();
      else reject(new Error(`cdk ${options[0]} ended with status ${status}\n${output.slice(-8_000)}`));
    });
  });
}

async function readSecret(id: string, target: Target): Promise<string> {
  const secrets = new SecretsManagerClient(clientOptions(target));
  try {
    const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId: id }));
    return SecretString;
  } finally {
    secrets.destroy();
  }
}
