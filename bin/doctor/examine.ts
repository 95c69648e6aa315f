/** All checks of a deployment, in order. */
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { readRing } from '../../core/events/key-ring.ts';
import { assemble } from '../assemble.ts';
import { BUNDLES, buildId } from '../build.ts';
import { LOCAL_KEY, OPEN_DEFAULTS } from '../local-settings.ts';
import { readSettings } from '../settings.ts';
import { type DeployedTemplate, outputsOf, type StackTarget, stackTarget } from '../stack-target.ts';
import { loadSystems, systemsModule } from '../systems.ts';
import type { Finding } from './finding.ts';
import { fromInside } from './inside.ts';
import { fromOutside, type OutsideOptions } from './outside.ts';

export interface DoctorOptions {
  readonly url?: string | undefined;
  readonly stack?: string | undefined;
  readonly 'socket-url'?: string | undefined;
  readonly 'stream-url'?: string | undefined;
  readonly key?: string | undefined;
  readonly token?: string | undefined;
  /** Seconds. */
  readonly wait: string;
}

/** All checks, each as soon as it is done. Throws an error that says what to do if the deployment cannot be looked at. */
export async function* examine(options: DoctorOptions, environment: NodeJS.ProcessEnv): AsyncGenerator<Finding> {
  const given = options.url ?? (environment['PUSH_URL'] || undefined);
  const target = given !== undefined && options.stack === undefined && !environment['AWS_PORT'] ? null : stackTarget(options, environment);
  const outputs = target === null ? new Map<string, string>() : await outputsOf(target);
  const isLocal = target?.client.endpoint !== undefined;
  const local = `http://localhost:${environment['PORT'] || '8000'}`;
  const api = address(given ?? (isLocal ? local : (outputs.get('Url') ?? outputs.get('ApiUrl'))));
  const atOne = isLocal || given !== undefined;
  const own = (name: string): string | undefined => (atOne ? undefined : outputs.get(name));
  const systems = await loadSystems(systemsModule(environment));
  const channels = systems.flatMap((system) => system.channels);
  const outside: OutsideOptions = {
    api,
    socket: options['socket-url'] ?? own('SocketUrl') ?? new URL('/ws', api.replace(/^http/, 'ws')).href,
    streams: options['stream-url'] ?? own('StreamUrl') ?? api,
    key: options.key ?? environment['PUSH_KEY'] ?? (isLocal ? LOCAL_KEY : await firstKey(outputs.get('PublishKeySecret'), target)),
    token: options.token ?? environment['PUSH_TOKEN'] ?? null,
    waitMs: Number(options.wait) * 1000,
    sources: [...new Set(channels.map(({ source }) => source))],
    streamPaths: channels.flatMap(({ http }) => http?.stream ?? []),
    build: buildId(systemsModule(environment)),
  };
  yield* fromOutside(outside);
  if (target !== null) yield* fromInside(target, await expectedTemplate(environment));
}

function address(url: string | undefined): string {
  if (url !== undefined && /^https?:\/\/[^/]+\/?$/.test(url)) return url;
  throw new Error(`--url: expected an address such as https://push.example, got ${JSON.stringify(url ?? '')}`);
}

/** The deployment's first key, as long as no other was made: later ones are kept as digests. */
async function firstKey(secretId: string | undefined, target: StackTarget | null): Promise<string | null> {
  if (secretId === undefined || target === null) return null;
  const secrets = new SecretsManagerClient(target.client);
  try {
    const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId: secretId }));
    return readRing(SecretString) === null ? SecretString : null;
  } finally {
    secrets.destroy();
  }
}

/** What this checkout would deploy. Its parts and code do not depend on the settings. */
async function expectedTemplate(environment: NodeJS.ProcessEnv): Promise<DeployedTemplate> {
  const module = systemsModule(environment);
  const systems = await loadSystems(module);
  // as deep as `dist/functions`, for the bundles' source maps hold paths
  const bundles = `${BUNDLES}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const assembly = await assemble({ settings: readSettings({ ...OPEN_DEFAULTS }, systems), systems, systemsModule: module, bundles });
  try {
    return JSON.parse(readFileSync(assembly.templateFile, 'utf8')) as DeployedTemplate;
  } finally {
    assembly.remove();
    rmSync(bundles, { recursive: true, force: true });
  }
}
