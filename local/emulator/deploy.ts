/** Deploys the template to a running emulator with the CDK's own program, and reads what a front door needs to know. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { readTemplate } from '../base/template.ts';
import { arnOf, resolver } from '../deployment.ts';
import { type Behavior, readDistribution } from '../front-door/distribution.ts';
import { grantBatches } from './batch-grants.ts';
import { ACCOUNT, clientOptions, environmentOf, REGION, type Target, trusted } from './target.ts';

export interface Deployed {
  /** The stack's outputs, by name. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly publishKey: string;
  /** How the front door leads each path; an origin's domain begins with the id of its API in the template. */
  readonly behaviors: readonly Behavior[];
  /** Its APIs by their id in the template, with their id in the emulator. */
  readonly apis: ReadonlyMap<string, { readonly id: string; readonly isSocket: boolean }>;
}

const BOOTSTRAP = fileURLToPath(new URL('bootstrap.yaml', import.meta.url));

/** Whether the emulator answers. Rejects as long as its certificate is not there. */
export const answers = async (target: Target): Promise<boolean> => (await statusOf(target.emulator.health, {}, target)) === 200;

/** The status of a request to the emulator; 0 = it does not answer. Rejects as long as its certificate is not there. */
export async function statusOf(path: string, headers: Readonly<Record<string, string>>, target: Target): Promise<number> {
  const url = new URL(path, target.endpoint);
  const ca = url.protocol === 'https:' ? trusted(target) : null;
  return new Promise((resolve) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(
      url,
      { headers, ...(ca === null ? {} : { ca, servername: url.hostname }) },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    request.setTimeout(2_000, () => request.destroy());
    request.on('error', () => resolve(0));
    request.end();
  });
}

/** Deploys with these settings. Throws an error with the program's output if that fails, and if it is stopped. */
export async function deploy(
  target: Target,
  settings: NodeJS.ProcessEnv,
  progress: (step: string) => void,
  stopped: AbortSignal,
): Promise<Deployed> {
  const folder = mkdtempSync(join(tmpdir(), 'realtime-push-deploy-'));
  const environment = {
    ...settings,
    ...environmentOf(target),
    CALLBACK_ENDPOINT: target.emulator.callback(target.endpoint.replace('//localhost', '//127.0.0.1')),
  };
  try {
    const file = join(folder, 'outputs.json');
    // a folder of its own: another run of this clone may synthesise at the same time
    const common = ['-c', 'stage=local', '--output', join(folder, 'cdk.out')];
    progress('bootstrapping');
    await cdk(['bootstrap', ...common, `aws://${ACCOUNT}/${REGION}`, '--template', BOOTSTRAP], environment, stopped);
    progress('deploying');
    await cdk(['deploy', ...common, '--require-approval', 'never', '--outputs-file', file], environment, stopped);
    const [[stack, outputs] = ['', {}]] = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, string>>);
    if (target.emulator.lacks.includes('batch-grants')) await grantBatches(stack, target);
    const secret = outputs['PublishKeySecret'] ?? '';
    if (target.emulator.lacks.includes('plain-secrets')) await setSecret(secret, newKey(), target);
    progress('reading what was deployed');
    const physicalIds = await readIds(stack, target);
    const template = readTemplate(join(folder, 'cdk.out', `${stack}.template.json`));
    const secrets = new Map<string, string>();
    for (const { id } of template.ofType('AWS::SecretsManager::Secret'))
      secrets.set(arnOf(id), await readSecret(physicalIds.get(id) ?? '', target));
    const apis = new Map(
      template
        .ofType('AWS::ApiGatewayV2::Api')
        .map(({ id, properties }) => [id, { id: physicalIds.get(id) ?? '', isSocket: properties['ProtocolType'] === 'WEBSOCKET' }]),
    );
    const behaviors = readDistribution(template, resolver(template, '', secrets));
    if (behaviors === null) throw new Error('the template has no distribution for the front door to follow: set FRONT_DOOR=on');
    return { outputs, publishKey: await readSecret(secret, target), behaviors, apis };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The ids of the stack's resources, by their ids in the template. */
export async function readIds(StackName: string, target: Target): Promise<Map<string, string>> {
  const client = new CloudFormationClient(clientOptions(target));
  const ids = new Map<string, string>();
  try {
    for await (const { StackResourceSummaries = [] } of paginateListStackResources({ client }, { StackName }))
      for (const { LogicalResourceId = '', PhysicalResourceId = '' } of StackResourceSummaries)
        ids.set(LogicalResourceId, PhysicalResourceId);
    return ids;
  } finally {
    client.destroy();
  }
}

function cdk(options: readonly string[], environment: NodeJS.ProcessEnv, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    stopped.throwIfAborted();
    // a group of its own, so that what it has started ends with it
    const child = spawn('npx', ['--no', 'cdk', ...options], { env: environment, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const stop = (): void => void (child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'));
    stopped.addEventListener('abort', stop);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    child.once('error', reject);
    child.once('exit', (status) => {
      stopped.removeEventListener('abort', stop);
      if (status === 0) resolve();
      else reject(new Error(`cdk ${options[0]} ended with status ${status}\n${output.slice(-8_000)}`));
    });
  });
}

/** As long as the template asks for, without characters that a shell reads in its own way. */
const newKey = (): string => randomBytes(20).toString('hex');

async function setSecret(SecretId: string, SecretString: string, target: Target): Promise<void> {
  await withSecrets(target, (secrets) => secrets.send(new PutSecretValueCommand({ SecretId, SecretString })));
}

async function readSecret(SecretId: string, target: Target): Promise<string> {
  return (await withSecrets(target, (secrets) => secrets.send(new GetSecretValueCommand({ SecretId })))).SecretString ?? '';
}

async function withSecrets<Value>(target: Target, ask: (secrets: SecretsManagerClient) => Promise<Value>): Promise<Value> {
  const secrets = new SecretsManagerClient(clientOptions(target));
  try {
    return await ask(secrets);
  } finally {
    secrets.destroy();
  }
}
