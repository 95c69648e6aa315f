import { describe, expect, test } from 'vitest';
import { readSettings } from '../../bin/settings.ts';
import { ENGINE_SETTINGS } from '../../core/engine-settings.ts';
import { systems } from '../../systems/index.ts';
import { feedDownMs, freshness, marketHours } from '../../systems/prices/settings.ts';

const read = (environment: Record<string, string> = {}) => readSettings(environment, systems);
/** The problems that reading ends with. */
function problems(environment: Record<string, string>): string[] {
  try {
    read(environment);
    return [];
  } catch (error) {
    const [first, ...lines] = String((error as Error).message).split('\n  ');
    expect(first).toBe('these settings cannot be used:');
    return lines;
  }
}

test('a setting that is not set has its default, and so has one that is empty', () => {
  expect(read({ MAX_SUBSCRIPTIONS_PER_CONNECTION: '' })).toMatchObject({
    APP_PUSH_MODE: 'websocket',
    MAX_SUBSCRIPTIONS_PER_CONNECTION: '500',
    MARKET_OPEN: '09:00',
    JWT_ISSUER: '',
  });
});

test('every setting of the engine and of the systems has a value', () => {
  const names = [...ENGINE_SETTINGS, ...systems.flatMap(({ settings }) => settings)].map(({ name }) => name);

  expect(Object.keys(read()).sort()).toEqual([...new Set(names)].sort());
});

test('one error names every value that cannot be used, with what was expected and what came', () => {
  expect(problems({ APP_PUSH_MODE: 'fax', SSE_SECONDS: '4', STALE_DAILY_DAYS: 'x' })).toEqual([
    'APP_PUSH_MODE: expected sse, websocket or both, got "fax"',
    'SSE_SECONDS: expected a whole number from 5 to 840, got "4"',
    'STALE_DAILY_DAYS: expected a whole number from 1 up, got "x"',
  ]);
});

test.each<[string, string[], string[]]>([
  ['APP_PUSH_MODE', ['sse', 'websocket', 'both'], ['SSE', 'sse,both', 'none']],
  ['SSE_SECONDS', ['5', '840'], ['4', '841', '-5', '5.5', '1e2']],
  ['SSE_MAX_STREAMS', ['0', '500'], ['-1', '9007199254740993']],
  ['AUTH_MODE', ['none'], ['JWT', 'x']],
  ['JWT_ISSUER', ['https://login.example', 'https://login.example/tenant'], ['http://login.example', 'login.example', 'https://a b']],
  ['JWT_AUDIENCE', ['push', 'none', 'https://push.example'], ['a b']],
  ['JWT_JWKS_URI', ['https://login.example/jwks.json'], ['http://login.example/jwks.json', 'https://']],
  ['JWT_USER_CLAIM', ['sub', 'custom:uid'], ['a b']],
  ['JWT_ROLES_CLAIM', ['roles', 'cognito:groups'], ['a b']],
  ['ALLOW_ANONYMOUS_CONTROL', ['true', 'false'], ['yes', 'TRUE', '1']],
  [
    'ALLOWED_ORIGINS',
    [
      '*',
      'https://shop.example',
      'http://localhost:3000',
      'https://a.example,https://b.example',
      'https://a.example , https://b.example',
      'https://A.example:443/',
      'tauri://localhost,http://tauri.localhost,capacitor://localhost',
      'null',
    ],
    [
      'shop.example',
      'https://a.example,',
      'https://a.example,*',
      'https://a.example/path',
      'https://a.example?q',
      'https://u@a.example',
      'https://a.example https://b.example',
      'https://a.example:99999',
    ],
  ],
  ['MAX_MESSAGE_BYTES', ['1000', '1000000'], ['999', '1000001']],
  ['MAX_CONNECTIONS', ['0', '1'], ['-1']],
  ['MAX_CONNECTIONS_PER_CLIENT', ['0', '1', '100'], ['-1', '101']],
  ['MAX_SUBSCRIPTIONS_PER_CONNECTION', ['1'], ['0']],
  ['MAX_MESSAGES_PER_SECOND', ['1', '10'], ['0', '11']],
  ['MAX_BROADCASTS_PER_SECOND', ['1', '1000'], ['0', '1001']],
  ['IDLE_TIMEOUT_SECONDS', ['360', '7200'], ['29', '7201']],
  ['PING_INTERVAL_SECONDS', ['30', '180'], ['29', '541']],
  ['LOG_LEVEL', ['DEBUG', 'INFO', 'WARN', 'ERROR'], ['info', 'TRACE']],
  ['STALE_REALTIME_SECONDS', ['1'], ['0', '1.5']],
  ['STALE_DAILY_DAYS', ['1'], ['0']],
  ['FEED_DOWN_SECONDS', ['1'], ['0']],
  ['MARKET_OPEN', ['00:00', '09:30', '15:29'], ['9:00', '24:00', '09:60', '09:00:00']],
  ['MARKET_CLOSE', ['09:01', '23:59'], ['24:00', '15:3']],
  ['MARKET_HOLIDAYS', ['2026-12-25', '2026-12-25,2026-12-31'], ['2026-12-25,', '25.12.2026', '2026-12-25, 2026-12-31', '2026-02-30']],
])('%s takes the values that it documents, and no others', (name, good, bad) => {
  for (const value of good) expect([value, problems({ [name]: value })]).toEqual([value, []]);
  for (const value of bad)
    expect([value, problems({ [name]: value })]).toEqual([
      value,
      expect.arrayContaining([
        expect.stringMatching(new RegExp(`^${name}: expected .*, got ${JSON.stringify(value).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)),
      ]),
    ]);
});

describe('settings that do not go together', () => {
  test('are a silence that is allowed for less than two minutes more than the ping interval: both are named', () => {
    const problem = (ping: number, idle: number) =>
      `IDLE_TIMEOUT_SECONDS: expected at least PING_INTERVAL_SECONDS + 120, which is ${ping + 120}, got ${idle}: a client that answers every ping must not count as silent`;

    for (const [ping, idle] of [
      [30, 45],
      [100, 100],
      [100, 219],
      [239, 300],
      [241, 300],
    ] as const)
      expect(problems({ PING_INTERVAL_SECONDS: String(ping), IDLE_TIMEOUT_SECONDS: String(idle) })).toEqual([problem(ping, idle)]);
    expect(problems({ PING_INTERVAL_SECONDS: '100', IDLE_TIMEOUT_SECONDS: '220' })).toEqual([]);
    expect(problems({})).toEqual([]);
  });

  test('origins reach the functions in the form in which browsers send them', () => {
    const { ALLOWED_ORIGINS } = readSettings(
      { ALLOWED_ORIGINS: 'https://Shop.example/ , HTTP://a.example:80,https://b.example:8443,Tauri://localhost,null' },
      systems,
    );

    expect(ALLOWED_ORIGINS).toBe('https://shop.example,http://a.example,https://b.example:8443,tauri://localhost,null');
  });

  test('are tokens without the issuer and the audience that they are for', () => {
    expect(problems({ AUTH_MODE: 'jwt' })).toEqual([
      expect.stringMatching(/^JWT_ISSUER: with AUTH_MODE=jwt expected /),
      expect.stringMatching(/^JWT_AUDIENCE: with AUTH_MODE=jwt expected .*none for any/),
    ]);
    expect(problems({ AUTH_MODE: 'jwt', JWT_ISSUER: 'https://login.example', JWT_AUDIENCE: 'none' })).toEqual([]);
  });

  test('are a session that does not open before it closes', () => {
    const problem = 'MARKET_OPEN: expected a time before MARKET_CLOSE';

    expect(problems({ MARKET_OPEN: '15:30' })).toEqual([problem]);
    expect(problems({ MARKET_OPEN: '15:31' })).toEqual([problem]);
    expect(problems({ MARKET_OPEN: '15:29' })).toEqual([]);
  });
});

test('the settings of prices are read as numbers, minutes and dates', () => {
  const settings = read({
    STALE_REALTIME_SECONDS: '12',
    STALE_DAILY_DAYS: '3',
    FEED_DOWN_SECONDS: '45',
    MARKET_OPEN: '08:05',
    MARKET_CLOSE: '16:40',
    MARKET_HOLIDAYS: '2026-12-25,2026-12-31',
  });

  expect(freshness(settings)).toEqual({ staleRealtimeSeconds: 12, staleDailyDays: 3 });
  expect(feedDownMs(settings)).toBe(45_000);
  expect(marketHours(settings)).toEqual({ openMinute: 485, closeMinute: 1_000, holidays: ['2026-12-25', '2026-12-31'] });
  expect(marketHours(read()).holidays).toEqual([]);
});
