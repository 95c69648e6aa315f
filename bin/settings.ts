/** The only reader of the environment at synth: every setting, its default, and what it must look like. */
import { PUSH_MODES, SETTING } from '../core/names.ts';

/** Settings as the functions get them: environment variables by name. */
export type Settings = Readonly<Record<(typeof SETTING)[keyof typeof SETTING], string>>;

interface Rule {
  readonly fallback: string;
  /** What is wrong with a value, or `null`. */
  readonly wrong: (value: string) => string | null;
}

const wholeNumber = (fallback: number, least: number, most = Number.MAX_SAFE_INTEGER): Rule => ({
  fallback: String(fallback),
  wrong: (value) =>
    /^\d+$/.test(value) && Number(value) >= least && Number(value) <= most
      ? null
      : `a whole number from ${least}${most === Number.MAX_SAFE_INTEGER ? ' up' : ` to ${most}`}`,
});
const like = (fallback: string, pattern: RegExp, what: string): Rule => ({
  fallback,
  wrong: (value) => (pattern.test(value) ? null : what),
});

/** The README lists them. */
const RULES: Readonly<Record<keyof Settings, Rule>> = {
  [SETTING.allowedOrigins]: like(
    '*',
    /^(\*|https?:\/\/[^,\s]+(\s*,\s*https?:\/\/[^,\s]+)*)$/,
    '* or origins, comma separated, such as https://shop.example',
  ),
  [SETTING.maxMessageBytes]: wholeNumber(1_000_000, 1_000, 1_000_000),
  [SETTING.maxConnections]: wholeNumber(0, 0),
  [SETTING.maxSubscriptions]: wholeNumber(500, 1),
  [SETTING.maxConnectionsPerClient]: wholeNumber(5, 1, 100),
  // as many arrival times as a connection's record keeps
  [SETTING.maxMessagesPerSecond]: wholeNumber(10, 1, 10),
  [SETTING.maxBroadcastsPerSecond]: wholeNumber(5, 1, 1000),
  [SETTING.idleTimeoutSeconds]: wholeNumber(300, 30, 7200),
  [SETTING.pingIntervalSeconds]: wholeNumber(240, 30, 540),
  [SETTING.staleRealtimeSeconds]: wholeNumber(300, 1),
  [SETTING.staleDailyDays]: wholeNumber(7, 1),
  [SETTING.feedDownSeconds]: wholeNumber(120, 1),
  [SETTING.marketOpen]: like('09:00', /^([01]\d|2[0-3]):[0-5]\d$/, 'a time in Seoul, such as 09:00'),
  [SETTING.marketClose]: like('15:30', /^([01]\d|2[0-3]):[0-5]\d$/, 'a time in Seoul, such as 15:30'),
  [SETTING.marketHolidays]: like(
    '',
    /^(\d{4}-\d{2}-\d{2}(,\d{4}-\d{2}-\d{2})*)?$/,
    'dates, comma separated, such as 2026-12-25,2026-12-31',
  ),
  [SETTING.pushMode]: like('websocket', new RegExp(`^(${PUSH_MODES.join('|')})$`), 'sse, websocket or both'),
  [SETTING.sseSeconds]: wholeNumber(55, 5, 840),
  [SETTING.sseMaxStreams]: wholeNumber(100, 0),
  [SETTING.anonymousControl]: like('false', /^(true|false)$/, 'true or false'),
  [SETTING.authMode]: like('none', /^(none|jwt)$/, 'none or jwt'),
  [SETTING.jwtIssuer]: like('', /^(https:\/\/\S+)?$/, "the issuer's address, such as https://login.example"),
  [SETTING.jwtAudience]: like('', /^\S*$/, 'the audience that tokens are for, or none'),
  [SETTING.jwtJwksUri]: like('', /^(https:\/\/\S+)?$/, 'the address of the keys, such as https://login.example/jwks.json'),
  [SETTING.jwtUserClaim]: like('sub', /^\S+$/, "a claim's name"),
  [SETTING.jwtRolesClaim]: like('roles', /^\S+$/, "a claim's name"),
  [SETTING.logLevel]: like('INFO', /^(DEBUG|INFO|WARN|ERROR)$/, 'DEBUG, INFO, WARN or ERROR'),
};

/** Reads the settings; throws one error that names every value that cannot be used. */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const read = Object.entries(RULES).map(([name, { fallback, wrong }]) => {
    const value = environment[name] || fallback;
    const expected = wrong(value);
    return { name, value, problem: expected === null ? null : `${name}: expected ${expected}, got ${JSON.stringify(value)}` };
  });
  const problems = read.flatMap(({ problem }) => problem ?? []);
  const settingOf = (wanted: string): string => read.find(({ name }) => name === wanted)?.value ?? '';
  if (settingOf(SETTING.marketOpen) >= settingOf(SETTING.marketClose))
    problems.push(`${SETTING.marketOpen}: expected a time before ${SETTING.marketClose}`);
  if (Number(settingOf(SETTING.pingIntervalSeconds)) >= Number(settingOf(SETTING.idleTimeoutSeconds)))
    problems.push(
      `${SETTING.pingIntervalSeconds}: expected less than ${SETTING.idleTimeoutSeconds}: who answers every ping must not be taken for silent`,
    );
  if (settingOf(SETTING.authMode) === 'jwt') {
    const needed: [string, string][] = [
      [SETTING.jwtIssuer, 'the issuer whose tokens count'],
      [SETTING.jwtAudience, 'the audience that tokens must be for, or none for any'],
    ];
    for (const [name, what] of needed) if (settingOf(name) === '') problems.push(`${name}: with ${SETTING.authMode}=jwt expected ${what}`);
  }
  if (problems.length > 0) throw new Error(`these settings cannot be used:\n  ${problems.join('\n  ')}`);
  return Object.fromEntries(read.map(({ name, value }) => [name, value])) as unknown as Settings;
}
