/** The engine's own settings. Apart from `settings.ts`, so that no function carries them: only synth reads them. */
import { normalOrigin } from './base/origin.ts';
import { PUSH_MODES, SETTING } from './names.ts';
import { matching, numberOf, type Setting, type Settings, wholeNumberIn } from './settings.ts';

const DEFAULT_IDLE_SECONDS = 300;
const DEFAULT_PING_SECONDS = 240;

export const ENGINE_SETTINGS: readonly Setting[] = [
  {
    name: SETTING.pushMode,
    fallback: 'websocket',
    check: matching(new RegExp(`^(${PUSH_MODES.join('|')})$`), 'sse, websocket or both'),
    doc: '`sse`, `websocket` or `both`: the transports offered to clients (`npm start`: `both`)',
  },
  {
    name: SETTING.sseSeconds,
    fallback: '55',
    check: wholeNumberIn(5, 840),
    doc: 'how long an event stream lasts, in seconds; [what it costs](access-patterns.md#what-an-event-stream-costs)',
  },
  {
    name: SETTING.sseMaxStreams,
    fallback: '100',
    check: wholeNumberIn(0),
    doc: 'event streams open at once; more get finite answers',
  },
  { name: SETTING.authMode, fallback: 'none', check: matching(/^(none|jwt)$/, 'none or jwt'), doc: '`jwt`: callers need a token' },
  {
    name: SETTING.jwtIssuer,
    fallback: '',
    check: matching(/^(https:\/\/\S+)?$/, "the issuer's address, such as https://login.example"),
    doc: 'expected issuer of tokens (`npm start`: its own)',
  },
  {
    name: SETTING.jwtAudience,
    fallback: '',
    check: matching(/^\S*$/, 'the audience that tokens are for, or none'),
    doc: 'expected audience of tokens; `none` = any',
  },
  {
    name: SETTING.jwtJwksUri,
    fallback: '',
    check: matching(/^(https:\/\/\S+)?$/, 'the address of the keys, such as https://login.example/jwks.json'),
    doc: "address of the issuer's keys; empty = as its discovery document says",
  },
  { name: SETTING.jwtUserClaim, fallback: 'sub', check: matching(/^\S+$/, "a claim's name"), doc: "claim with the user's id" },
  { name: SETTING.jwtRolesClaim, fallback: 'roles', check: matching(/^\S+$/, "a claim's name"), doc: "claim with the user's roles" },
  {
    name: SETTING.anonymousControl,
    fallback: 'false',
    check: matching(/^(true|false)$/, 'true or false'),
    doc: '`true`: with `AUTH_MODE=none` every caller may send messages that need a role (`npm start`: `true`)',
  },
  {
    name: SETTING.allowedOrigins,
    fallback: '*',
    check: (value) =>
      value === '*' || value.split(',').every((one) => normalOrigin(one) !== null)
        ? null
        : '* or origins, comma separated, such as https://shop.example: scheme and host, without a path',
    normal: (value) => (value === '*' ? value : value.split(',').map(normalOrigin).join(',')),
    doc: "origins whose pages may connect and read, comma separated: also an app's, such as `tauri://localhost`, or `null`; the deployment's own address is always one",
  },
  {
    name: SETTING.maxMessageBytes,
    fallback: '1000000',
    check: wholeNumberIn(1_000, 1_000_000),
    doc: 'largest published event, in bytes',
  },
  { name: SETTING.maxConnections, fallback: '0', check: wholeNumberIn(0), doc: 'connections in all; 0 = no limit' },
  {
    name: SETTING.maxConnectionsPerClient,
    fallback: '5',
    check: wholeNumberIn(0, 100),
    doc: 'connections of one user; without identity, of one announced `client_id` and address; 0 = no limit',
  },
  { name: SETTING.maxSubscriptions, fallback: '500', check: wholeNumberIn(1), doc: 'subscriptions of one connection' },
  {
    // a connection's record keeps ten arrival times
    name: SETTING.maxMessagesPerSecond,
    fallback: '10',
    check: wholeNumberIn(1, 10),
    doc: "messages of the systems' own types from one connection, a second",
  },
  {
    name: SETTING.maxBroadcastsPerSecond,
    fallback: '5',
    check: wholeNumberIn(1, 1000),
    doc: 'deliveries of one state topic, a second; faster events are conflated',
  },
  {
    name: SETTING.idleTimeoutSeconds,
    fallback: String(DEFAULT_IDLE_SECONDS),
    check: wholeNumberIn(30, 7200),
    doc: 'silence after which a connection is closed, in seconds',
  },
  {
    name: SETTING.pingIntervalSeconds,
    fallback: String(DEFAULT_PING_SECONDS),
    check: wholeNumberIn(30, 540),
    doc: 'time between pings, in seconds; `IDLE_TIMEOUT_SECONDS` is at least 120 s more',
  },
  {
    name: SETTING.logLevel,
    fallback: 'INFO',
    check: matching(/^(DEBUG|INFO|WARN|ERROR)$/, 'DEBUG, INFO, WARN or ERROR'),
    doc: '`DEBUG`, `INFO`, `WARN` or `ERROR`',
  },
  {
    name: SETTING.httpRequestsPerSecond,
    fallback: '2000',
    check: wholeNumberIn(1, 100_000),
    doc: 'requests that the HTTP API takes, a second; more get `429`. They count against the same quota of the account as the posts to connections',
  },
  {
    name: SETTING.internalRequestsPerSecond,
    fallback: '1000',
    check: wholeNumberIn(1, 100_000),
    doc: 'how many of them `/internal/*` may take, a second: a runaway upstream must leave the clients theirs; more get `429`',
  },
  {
    name: SETTING.accountConcurrency,
    fallback: '1000',
    check: wholeNumberIn(10, 1_000_000),
    doc: "the account's limit of concurrent executions, which new accounts have as low as 10: queues take up to a tenth of it each, event streams up to half",
  },
  {
    name: SETTING.frontDoor,
    fallback: 'off',
    check: matching(/^(on|off)$/, 'on or off'),
    doc: '`on`: one address (CloudFront) for everything, the page too; the other addresses refuse who comes past it (`npm start`: `on`)',
  },
  {
    name: SETTING.domainName,
    fallback: '',
    check: matching(/^([a-z0-9-]+\.)+[a-z]{2,}$|^$/, 'a host name, such as push.shop.example'),
    doc: "the front door's own host name, if it is not to be CloudFront's; its DNS record is yours to make. Never run by us",
  },
  {
    name: SETTING.certificateArn,
    fallback: '',
    check: matching(
      /^(arn:aws:acm:us-east-1:\d{12}:certificate\/\S+)?$/,
      'the ARN of a certificate in us-east-1, where CloudFront looks for it',
    ),
    doc: 'certificate for `DOMAIN_NAME`, in us-east-1. Never run by us',
  },
  {
    name: SETTING.webAclArn,
    fallback: '',
    check: matching(/^(arn:aws:wafv2:us-east-1:\d{12}:global\/webacl\/\S+)?$/, 'the ARN of a global web ACL in us-east-1'),
    doc: 'web ACL (WAF) of the front door, in us-east-1. Never run by us',
  },
  {
    name: SETTING.alarmTo,
    fallback: '',
    check: matching(/^(arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:\S+|[^\s@]+@[^\s@]+)?$/, 'an e-mail address, or the ARN of an SNS topic'),
    doc: 'who is told of alarms: an e-mail address, which must confirm, or the ARN of an SNS topic; empty = alarms are only seen. Never run by us',
  },
  {
    name: SETTING.callbackEndpoint,
    fallback: '',
    check: matching(/^(https?:\/\/\S+)?$/, 'an address with {api} and {stage} where their names belong'),
    doc: "address of `@connections`, with `{api}` and `{stage}` where their names belong, if it is not the API's own: an emulator has one",
  },
];

/**
 * Pings go out, and silence is looked for, once a minute: between a ping and the look at its pong two may pass. The defaults
 * are the contract's, and hold with less: pings of 240 s fall into every fourth look, and silence of 300 s into the fifth.
 */
const SWEEP_SECONDS = 120;

/** Problems of the engine's settings taken together, one line each. */
export function engineConflicts(settings: Settings): string[] {
  const problems: string[] = [];
  const [ping, idle] = [numberOf(settings, SETTING.pingIntervalSeconds), numberOf(settings, SETTING.idleTimeoutSeconds)];
  if (idle < ping + SWEEP_SECONDS && !(idle === DEFAULT_IDLE_SECONDS && ping === DEFAULT_PING_SECONDS))
    problems.push(
      `${SETTING.idleTimeoutSeconds}: expected at least ${SETTING.pingIntervalSeconds} + ${SWEEP_SECONDS}, which is ${ping + SWEEP_SECONDS}, got ${idle}: a client that answers every ping must not count as silent`,
    );
  const streams = numberOf(settings, SETTING.sseMaxStreams);
  const most = Math.floor(numberOf(settings, SETTING.accountConcurrency) / 2);
  if (settings[SETTING.pushMode] !== 'websocket' && streams > most)
    problems.push(
      `${SETTING.sseMaxStreams}: expected at most half of ${SETTING.accountConcurrency}, which is ${most}, got ${streams}: each open event stream is one concurrent execution`,
    );
  problems.push(...frontDoorConflicts(settings));
  if (settings[SETTING.authMode] !== 'jwt') return problems;
  const needed: [string, string][] = [
    [SETTING.jwtIssuer, 'the issuer of the tokens'],
    [SETTING.jwtAudience, 'the audience of the tokens, or none for any'],
  ];
  for (const [name, what] of needed) if (!settings[name]) problems.push(`${name}: with ${SETTING.authMode}=jwt expected ${what}`);
  return problems;
}

function frontDoorConflicts(settings: Settings): string[] {
  const { domainName, certificateArn, webAclArn, frontDoor } = SETTING;
  const isSet = (name: string): boolean => Boolean(settings[name]);
  const idle = settings[frontDoor] === 'on' ? [] : [domainName, certificateArn, webAclArn].filter(isSet);
  return [
    ...idle.map((name) => `${name}: is the front door's, and expects ${frontDoor}=on`),
    ...(isSet(domainName) === isSet(certificateArn) ? [] : [`${domainName}, ${certificateArn}: expected both or none`]),
  ];
}
