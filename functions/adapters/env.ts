/** The only reader of the environment at run time. Everything is read at cold start; a missing variable is an error that names it. */
import { ENV, type PushMode, SETTING } from '../../core/names.ts';
import type { Setting, Settings } from '../../core/settings.ts';

export function requireEnv(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '')
    throw new Error(`the environment variable ${name} is missing: the function's construct in lib/ must set it`);
  return value;
}

function numberSetting(name: string): number {
  const value = Number(requireEnv(name));
  if (!Number.isFinite(value))
    throw new Error(`the environment variable ${name} must be a number, got ${JSON.stringify(process.env[name])}`);
  return value;
}

/** The values of some settings, by name. */
export const readSettings = (definitions: readonly Pick<Setting, 'name'>[]): Settings =>
  Object.fromEntries(
    definitions.map(({ name }) => {
      const value = process.env[name];
      if (value === undefined) throw new Error(`the environment variable ${name} is missing: lib/push-function.ts must set it`);
      return [name, value];
    }),
  );

export const limits = {
  allowedOrigins: () => requireEnv(SETTING.allowedOrigins),
  maxConnections: () => numberSetting(SETTING.maxConnections),
  maxSubscriptions: () => numberSetting(SETTING.maxSubscriptions),
  maxConnectionsPerClient: () => numberSetting(SETTING.maxConnectionsPerClient),
  maxMessagesPerSecond: () => numberSetting(SETTING.maxMessagesPerSecond),
  maxMessageBytes: () => numberSetting(SETTING.maxMessageBytes),
  broadcastsPerSecond: () => numberSetting(SETTING.maxBroadcastsPerSecond),
  idleTimeoutSeconds: () => numberSetting(SETTING.idleTimeoutSeconds),
  pingIntervalSeconds: () => numberSetting(SETTING.pingIntervalSeconds),
};

/** What requests through the front door carry; `null` = there is no front door. */
export const originKey = (): string | null => process.env[ENV.originKey] || null;

export const isBehindFrontDoor = (): boolean => requireEnv(SETTING.frontDoor) === 'on';

/** The function's own time-out. */
export const timeoutMs = () => numberSetting(ENV.timeoutSeconds) * 1000;

/** Addresses of the workers' queues, by worker; none if no system has a worker. */
export const workQueueUrls = (): Readonly<Record<string, string>> =>
  JSON.parse(process.env[ENV.workQueues] ?? '{}') as Record<string, string>;

/** The transports offered; synth checked the value. */
export const pushMode = () => requireEnv(SETTING.pushMode) as PushMode;

export const streamLimits = () => ({ lifeMs: numberSetting(SETTING.sseSeconds) * 1000, most: numberSetting(SETTING.sseMaxStreams) });

/** Whether callers without identity may act, and not only read. */
export const anonymousControl = () => requireEnv(SETTING.anonymousControl) === 'true';

/** How callers are identified. */
export const identitySettings = () =>
  requireEnv(SETTING.authMode) === 'none'
    ? ({ mode: 'none' } as const)
    : ({
        mode: 'jwt',
        issuer: requireEnv(SETTING.jwtIssuer),
        // `none` = any audience: it must be said, and is never assumed
        audience: requireEnv(SETTING.jwtAudience) === 'none' ? null : requireEnv(SETTING.jwtAudience),
        /** `null` = the issuer's discovery document names it. */
        jwksUri: process.env[SETTING.jwtJwksUri] || null,
        userClaim: requireEnv(SETTING.jwtUserClaim),
        rolesClaim: requireEnv(SETTING.jwtRolesClaim),
      } as const);

/** A bucket's address, by its domain name. The SDK's variables for endpoints hold here too. */
export const bucketEndpoint = (domain: string): string => {
  const elsewhere = process.env['AWS_ENDPOINT_URL_S3'] || process.env['AWS_ENDPOINT_URL'];
  const [bucket] = domain.split('.');
  return elsewhere ? `${elsewhere.replace(/\/$/, '')}/${bucket}` : `https://${domain}`;
};

/** Lambda keeps its role's credentials in the environment, and starts a new environment for new ones. */
export const awsCredentials = () => ({
  region: requireEnv('AWS_REGION'),
  accessKeyId: requireEnv('AWS_ACCESS_KEY_ID'),
  secretAccessKey: requireEnv('AWS_SECRET_ACCESS_KEY'),
  sessionToken: process.env['AWS_SESSION_TOKEN'] ?? null,
});
