/** The only reader of the environment at run time. Everything is read at cold start, and a missing name is an error by name. */
import { ENV, type PushMode, SETTING } from '../../core/names.ts';

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

/** A function knows only the tables that its construct granted it. */
export const table = {
  connections: () => requireEnv(ENV.connectionsTable),
  subscriptions: () => requireEnv(ENV.subscriptionsTable),
  topics: () => requireEnv(ENV.topicsTable),
  settings: () => requireEnv(ENV.settingsTable),
};

export const freshness = () => ({
  staleRealtimeSeconds: numberSetting(SETTING.staleRealtimeSeconds),
  staleDailyDays: numberSetting(SETTING.staleDailyDays),
});

export const marketHours = () => ({
  openMinute: minuteOf(requireEnv(SETTING.marketOpen)),
  closeMinute: minuteOf(requireEnv(SETTING.marketClose)),
  holidays: (process.env[SETTING.marketHolidays] ?? '').split(',').filter((date) => date !== ''),
});

const minuteOf = (clock: string): number => {
  const [hour = '', minute = ''] = clock.split(':');
  return Number(hour) * 60 + Number(minute);
};

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
  feedDownSeconds: () => numberSetting(SETTING.feedDownSeconds),
};

/** The transports that are offered; synth checked the value. */
export const pushMode = () => requireEnv(SETTING.pushMode) as PushMode;

export const streamLimits = () => ({ lifeMs: numberSetting(SETTING.sseSeconds) * 1000, most: numberSetting(SETTING.sseMaxStreams) });

/** Whether callers that are not known may act on the monitored systems. */
export const anonymousControl = () => requireEnv(SETTING.anonymousControl) === 'true';

/** How callers are known. */
export const identitySettings = () =>
  requireEnv(SETTING.authMode) === 'none'
    ? ({ mode: 'none' } as const)
    : ({
        mode: 'jwt',
        issuer: requireEnv(SETTING.jwtIssuer),
        // `none` = any: said so in the settings, never by leaving it out
        audience: requireEnv(SETTING.jwtAudience) === 'none' ? null : requireEnv(SETTING.jwtAudience),
        /** `null` = the issuer's discovery document names it. */
        jwksUri: process.env[SETTING.jwtJwksUri] || null,
        userClaim: requireEnv(SETTING.jwtUserClaim),
        rolesClaim: requireEnv(SETTING.jwtRolesClaim),
      } as const);

/** Where a bucket is; the SDK's variable moves it elsewhere. */
export const bucketEndpoint = (bucket: string): string => {
  const elsewhere = process.env['AWS_ENDPOINT_URL_S3'];
  return elsewhere ? `${elsewhere}/${bucket}` : `https://${bucket}.s3.${requireEnv('AWS_REGION')}.amazonaws.com`;
};

/** Lambda keeps its role's credentials in the environment, and puts new ones into a new environment. */
export const awsCredentials = () => ({
  region: requireEnv('AWS_REGION'),
  accessKeyId: requireEnv('AWS_ACCESS_KEY_ID'),
  secretAccessKey: requireEnv('AWS_SECRET_ACCESS_KEY'),
  sessionToken: process.env['AWS_SESSION_TOKEN'] ?? null,
});
