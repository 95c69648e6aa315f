/** `npm run publish -- price 005930 158600`: publishes one event by hand. */
import './node-version.ts';
import { randomUUID } from 'node:crypto';
import { MARKET, OPERATIONS, type OutgoingEvent, postEvents, tickDetail } from '../local/publisher.ts';
import { commandLine } from './command-line.ts';
import { deploymentOf, UsageError } from './deployment-event.ts';
import { LOCAL_KEY } from './local-settings.ts';

const USAGE = `usage: npm run publish -- price TICKER WON                    a tick, such as: price 005930 158600
       npm run publish -- halt TICKER [REASON]
       npm run publish -- resume TICKER [REASON]
       npm run publish -- rank USER CONCERT RANK             a place in the queue, such as: rank 100 1 5
       npm run publish -- activate USER CONCERT SECONDS      let in, such as: activate 100 1 60
       npm run publish -- reservation USER SEAT SUCCESS|FAIL such as: reservation 100 55 SUCCESS
       npm run publish -- alert LEVEL TITLE [MESSAGE]        such as: alert critical "disk full"
       npm run publish -- service ID EVENT [MESSAGE]         such as: service posco_news restarted
       npm run publish -- log LEVEL MESSAGE                  such as: log ERROR "it broke"
       npm run publish -- deployment ID STEPS STEP [STATE] [MESSAGE]
                          STATE: in_progress, completed, failed; such as: deployment 42 build,test,deploy test completed
options: --url http://localhost:8000   the address (or PUSH_URL, or PORT on this machine)
         --key local-key               the publish key (or PUSH_KEY)
         --lane bus|direct             the lane, bus by default
         --branch, --commit            of a deployment; a CI's own variables by default
         --token JWT                   for reading the last price, if the server requires a token (or PUSH_TOKEN)`;

interface Context {
  readonly url: string;
  readonly token: string | undefined;
  readonly branch: string | undefined;
  readonly commit: string | undefined;
}
type Maker = (words: readonly string[], context: Context) => OutgoingEvent | Promise<OutgoingEvent>;

const now = (): string => new Date().toISOString();

function tickerOf([ticker = '']: readonly string[]): string {
  if (/^[0-9A-Z]{6}$/.test(ticker)) return ticker;
  throw new UsageError(`a ticker is six digits or capital letters, such as 005930; got ${JSON.stringify(ticker)}`);
}

/** The words after the event's name, as whole numbers. `names` appear in the error message. */
function numbersOf(words: readonly string[], ...names: readonly string[]): number[] {
  if (words.length !== names.length) throw new UsageError(`expected ${names.join(', ')}; got ${JSON.stringify(words.join(' '))}`);
  return names.map((name, index) => {
    const word = words[index] ?? '';
    if (!/^\d{1,15}$/.test(word)) throw new UsageError(`${name}: expected a whole number, got ${JSON.stringify(word)}`);
    return Number(word);
  });
}

/** The words after the event's name: one for each of `names`, and at most one more. */
function textsOf(words: readonly string[], ...names: readonly string[]): string[] {
  if (words.length < names.length || words.length > names.length + 1)
    throw new UsageError(`expected ${names.join(', ')}, in quotes if they contain spaces; got ${JSON.stringify(words.join(' '))}`);
  return [...words];
}

const trading =
  (detailType: string): Maker =>
  (words) => ({ source: MARKET, detailType, detail: { ticker: tickerOf(words), reason: words.slice(1).join(' '), timestamp: now() } });

const QUEUE = 'ticket.waiting-queue';

const MAKERS: Readonly<Record<string, Maker>> = {
  async price(words, { url, token }) {
    const ticker = tickerOf(words);
    const [won = '', ...extra] = words.slice(1);
    if (!/^[1-9]\d{0,14}$/.test(won) || extra.length > 0)
      throw new UsageError(`a price is whole won, such as 158600; got ${JSON.stringify(words.slice(1).join(' '))}`);
    const price = Number(won);
    const init = token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } };
    const answer = await fetch(new URL(`/internal/price/${ticker}`, url), init);
    const known = answer.status === 200 ? ((await answer.json()) as { price: number; change: number; volume: number }) : null;
    const previousClose = known ? known.price - known.change : price;
    return {
      source: MARKET,
      detailType: 'PriceTicked',
      detail: tickDetail({ ticker, price, previousClose, volume: known?.volume ?? 0 }, Date.now()),
    };
  },
  halt: trading('TradingHalted'),
  resume: trading('TradingResumed'),
  rank(words) {
    const [userId, concertId, rank] = numbersOf(words, 'USER', 'CONCERT', 'RANK');
    return { source: QUEUE, detailType: 'RankUpdated', detail: { userId, concertId, rank, timestamp: now() } };
  },
  activate(words) {
    const [userId, concertId, activeTtlSeconds] = numbersOf(words, 'USER', 'CONCERT', 'SECONDS');
    return { source: QUEUE, detailType: 'Activated', detail: { userId, concertId, activeTtlSeconds, timestamp: now() } };
  },
  reservation(words) {
    const [userId, seatId] = numbersOf(words.slice(0, 2), 'USER', 'SEAT');
    const [status = '', ...extra] = words.slice(2);
    if (!['SUCCESS', 'FAIL'].includes(status) || extra.length > 0)
      throw new UsageError(`a reservation ends with SUCCESS or FAIL; got ${JSON.stringify(words.slice(2).join(' '))}`);
    return { source: 'ticket.reservation', detailType: 'ReservationSettled', detail: { userId, seatId, status, timestamp: now() } };
  },
  alert(words) {
    const [level, title, message = title] = textsOf(words, 'LEVEL', 'TITLE');
    return {
      source: OPERATIONS,
      detailType: 'AlertRaised',
      detail: { level, title, message, category: 'manual', source: 'npm run publish', timestamp: now() },
    };
  },
  service(words) {
    const [id, event, message = `${id} ${event}`] = textsOf(words, 'ID', 'EVENT');
    const status = event === 'stopped' ? 'stopped' : event === 'error' ? 'error' : 'running';
    return {
      source: OPERATIONS,
      detailType: 'ServiceChanged',
      detail: { service_id: id, service_name: id, event_type: event, status, message, timestamp: now() },
    };
  },
  log(words) {
    const [level, message] = textsOf(words, 'LEVEL', 'MESSAGE');
    const entries = [{ timestamp: now(), level, logger_name: 'npm run publish', message }];
    return { source: OPERATIONS, detailType: 'LogAppended', detail: { file_name: 'manual.log', entries } };
  },
  deployment: (words, { branch, commit }) => ({
    source: OPERATIONS,
    detailType: 'PoscoChanged',
    detail: { ...deploymentOf(words, { branch, commit }, process.env), timestamp: now() },
  }),
};

/** The server's address, for the error message if it does not answer. */
let target = '';

async function main(): Promise<void> {
  const { values, positionals } = commandLine(USAGE, {
    allowPositionals: true,
    options: {
      url: { type: 'string' },
      key: { type: 'string' },
      lane: { type: 'string' },
      token: { type: 'string' },
      branch: { type: 'string' },
      commit: { type: 'string' },
    },
  });
  const [kind = '', ...words] = positionals;
  const make = Object.hasOwn(MAKERS, kind) ? MAKERS[kind] : undefined;
  if (!make)
    throw new UsageError(
      kind === ''
        ? USAGE
        : `there is no event ${JSON.stringify(kind)}
${USAGE}`,
    );
  if (values.lane !== undefined && values.lane !== 'bus' && values.lane !== 'direct')
    throw new UsageError(`--lane: expected bus or direct, got ${JSON.stringify(values.lane)}`);
  const url = values.url ?? process.env['PUSH_URL'] ?? `http://localhost:${process.env['PORT'] || '8000'}`;
  if (!/^https?:\/\/[^/]+\/?$/.test(url))
    throw new UsageError(`--url: expected an address such as http://localhost:8000, got ${JSON.stringify(url)}`);
  target = url;
  const id = randomUUID();
  const event = await make(words, { url, token: values.token ?? process.env['PUSH_TOKEN'], branch: values.branch, commit: values.commit });
  const key = values.key ?? process.env['PUSH_KEY'];
  const { accepted, rejected } = await postEvents(url, key ?? LOCAL_KEY, [{ ...event, id }], values.lane).catch((error: Error) => {
    if (key !== undefined || !error.message.startsWith('401')) throw error;
    throw new UsageError(`${url} wants another publish key than ${LOCAL_KEY}: give it with --key or PUSH_KEY (docs/operate.md)`);
  });
  if (accepted === 0) throw new UsageError(`rejected: ${rejected[0]?.error_message ?? ''}`);
  console.log(`accepted: ${event.detailType} ${JSON.stringify(event.detail)}\nits way: npm run --silent trace -- ${id}`);
}

main().catch((error: Error) => {
  // fetch says no more than that it failed
  const refused = error.cause !== undefined;
  console.error(
    refused
      ? `no server answers at ${target}: is \`npm start\` running there? (--url names another address)`
      : error instanceof UsageError
        ? error.message
        : `failed: ${error.message}`,
  );
  process.exitCode = 1;
});
