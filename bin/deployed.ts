/** A deployment's addresses, and the key and token to use there: given, from its stack, or the local run's. */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { sourcesOf } from '../core/channels/channels.ts';
import { readRing } from '../core/events/key-ring.ts';
import { LOCAL_KEY } from './local-settings.ts';
import { outputsOf, type StackTarget, stackTarget, TARGET_OPTIONS } from './stack-target.ts';
import { loadSystems, systemsModule } from './systems.ts';

/** Options of the programs that look at a deployment. */
export const DEPLOYED_OPTIONS = {
  ...TARGET_OPTIONS,
  url: { type: 'string' },
  'socket-url': { type: 'string' },
  'stream-url': { type: 'string' },
  key: { type: 'string' },
  token: { type: 'string' },
} as const;

type Given = { readonly [Name in keyof typeof DEPLOYED_OPTIONS]?: string | undefined };

export interface Deployed {
  /** `null` = it is seen from outside alone. */
  readonly target: StackTarget | null;
  /** Of REST, publishing and the page. */
  readonly api: string;
  readonly socket: string;
  /** Of event streams. */
  readonly streams: string;
  /** The publish key; `null` = it is not known. */
  readonly key: string | null;
  /** Of a user, if the deployment asks for one. */
  readonly token: string | null;
  readonly sources: readonly string[];
  readonly streamPaths: readonly string[];
}

/**
 * The deployment that a program is to look at: with `--stack` by its stack, with `--url` (or PUSH_URL) from outside alone, and
 * without either the local run. Throws an error that says what to do if it is not found.
 */
export async function deployedAt(options: Given, environment: NodeJS.ProcessEnv): Promise<Deployed> {
  const url = options.url ?? (options.stack === undefined ? environment['PUSH_URL'] || undefined : undefined);
  const target = url !== undefined && options.stack === undefined ? null : stackTarget(options, environment);
  const outputs = target === null ? new Map<string, string>() : await outputsOf(target);
  const isLocal = target?.client.endpoint !== undefined;
  const local = `http://localhost:${environment['PORT'] || '8000'}`;
  const api = checked(url ?? (isLocal ? local : (outputs.get('Url') ?? outputs.get('ApiUrl'))));
  // the local run has everything at one address, and so has a front door
  const own = (name: string): string | undefined => (isLocal || url !== undefined ? undefined : outputs.get(name));
  const systems = await loadSystems(systemsModule(environment));
  const channels = systems.flatMap((system) => system.channels);
  return {
    target,
    api,
    socket: options['socket-url'] ?? own('SocketUrl') ?? new URL('/ws', api.replace(/^http/, 'ws')).href,
    streams: options['stream-url'] ?? own('StreamUrl') ?? api,
    key: options.key ?? (environment['PUSH_KEY'] || (isLocal ? LOCAL_KEY : await firstKey(outputs.get('PublishKeySecret'), target))),
    token: options.token ?? (environment['PUSH_TOKEN'] || null),
    sources: sourcesOf(channels),
    streamPaths: channels.flatMap(({ http }) => http?.stream ?? []),
  };
}

function checked(url: string | undefined): string {
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

export const bearer = (token: string | null): Record<string, string> => (token === null ? {} : { authorization: `Bearer ${token}` });
