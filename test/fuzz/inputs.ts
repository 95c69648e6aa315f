/** Inputs for every entry, made from valid ones by a seed: fields replaced, dropped and doubled, and texts cut, mixed and prefixed. */
import {
  activated,
  alert,
  daily,
  deployment,
  halt,
  listed,
  log,
  type PublishedEvent,
  rank,
  resume,
  service,
  settled,
  status,
  tick,
  webhook,
} from '../helpers/events.ts';

/** From 0 to below 1. */
export type Random = () => number;

export const pick = <Item>(items: readonly Item[], random: Random): Item => items[Math.floor(random() * items.length)] as Item;

/** Half characters can only come as escapes: a frame or body that is not UTF-8 is refused before. */
const HALVES = ['"\\ud800"', '"a\\udc00b"', '"\\ud83d"', `"${'x'.repeat(99)}\\ud83d\\ude00\\ud83d"`] as const;

/** JSON texts that stand in the place of a value. */
const VALUES = [
  ...[
    'null',
    'true',
    '0',
    '-1',
    '-0',
    '1.5',
    '9007199254740992',
    '12345678901234567890',
    '1e400',
    '-1e400',
    '1e21',
    '1e-320',
    '0123',
    'NaN',
    "'x'",
  ],
  ...[
    '""',
    '" "',
    '"x"',
    '"0"',
    '"5"',
    '"__proto__"',
    '"constructor"',
    '"\\u0000"',
    '"\\x"',
    '"한글 😀"',
    '"../.."',
    '"%00"',
    '"a#b:c\\\\c"',
    '"\\u2028\\r\\n"',
  ],
  ...['[]', '{}', '[[]]', '[null]', '{"__proto__":{"a":1}}', '{"a":1,"a":2}', '{"toString":1}', '["alert","alert","nothing"]'],
  ...['"2099-01-01T00:00:00Z"', '"0000-00-00"', '"2026-02-30T00:00:00+09:00"', '8640000000000001', '"epoch-1"', '"e:1"', '"e\\\\c7"'],
  `"${'x'.repeat(300)}"`,
  `"${'😀'.repeat(150)}"`,
  `"${'가'.repeat(30_000)}"`,
  `${'['.repeat(3_000)}${']'.repeat(3_000)}`,
  `[${'1,'.repeat(600)}1]`,
  `{${Array.from({ length: 300 }, (_, index) => `"k${index}":${index}`).join()}}`,
];
const NAMES = ['__proto__', 'constructor', 'toString', '', 'type', 'topic', 'data', 'since', '_accepted', '한글', 'x'.repeat(200)];
const SNIPPETS = ['\ufeff', '\u0000', '{', '}', '"', '\\', ',', ':', '\n', '\r\n', '한', '😀', '[', ']', '\\c', '\\n', '  '];

interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

function placesIn(value: unknown, found: Place[] = []): Place[] {
  if (typeof value !== 'object' || value === null) return found;
  for (const [key, child] of Object.entries(value)) {
    found.push({ holder: value as Record<string, unknown>, key });
    placesIn(child, found);
  }
  return found;
}

export interface Making {
  readonly random: Random;
  /** Whether half characters may be among the values. */
  readonly halves: boolean;
}

/** A JSON text like that of the example, with up to three changes. */
export function mutatedJson(example: object, { random, halves }: Making): string {
  const copy: unknown = structuredClone(example);
  const raw = new Map<string, string>();
  const changes = Math.floor(random() * 4);
  for (let change = 0; change < changes; change++) {
    const place = pick(placesIn(copy), random);
    if (!place) break;
    const mark = `@@${change}@@`;
    const kind = random();
    if (kind < 0.7) {
      place.holder[place.key] = mark;
      raw.set(`"${mark}"`, pick(halves && random() < 0.3 ? HALVES : VALUES, random));
    } else if (kind < 0.8) delete place.holder[place.key];
    else if (kind < 0.9)
      Object.defineProperty(place.holder, pick(NAMES, random), { value: 1, enumerable: true, configurable: true, writable: true });
    else place.holder[place.key] = Array.from({ length: 3 }, () => place.holder[place.key]);
  }
  let text = JSON.stringify(copy);
  for (const [mark, value] of raw) text = text.replaceAll(mark, () => value);
  return random() < 0.15 ? mutatedText(text, random) : text;
}

/** The text with a piece cut out, doubled, put in or exchanged, by whole characters. */
export function mutatedText(text: string, random: Random): string {
  const characters = [...text];
  const from = Math.floor(random() * (characters.length + 1));
  const length = Math.floor(random() * 12);
  const kind = random();
  if (kind < 0.25) characters.splice(from);
  else if (kind < 0.5) characters.splice(from, length);
  else if (kind < 0.75) characters.splice(from, 0, pick(SNIPPETS, random));
  else characters.splice(from, length, ...characters.slice(0, length));
  return characters.join('');
}

const TICKERS = ['000000', '005930', 'ABCDEF'];
const id = (random: Random): number => 1 + Math.floor(random() * 3);

/** A valid event of each kind. */
export const eventExamples = (random: Random): PublishedEvent[] => [
  rank(id(random), id(random), 7),
  activated(id(random), id(random), 60),
  settled(id(random), id(random), 'SUCCESS'),
  tick(pick(TICKERS, random), 1_000),
  { source: 'market.price', detailType: 'PricesTicked', detail: { quotes: TICKERS.map((ticker) => tick(ticker, 5).detail) } },
  daily(pick(TICKERS, random), 9, '2026-02-05'),
  halt(pick(TICKERS, random)),
  resume(pick(TICKERS, random)),
  listed({ ticker: pick(TICKERS, random), name: '삼성전자 😀' }),
  status({}),
  service({}),
  alert({ metadata: { a: 1, b: ['x', { c: 2 }] } }),
  log({}),
  webhook({}),
  deployment({}),
];

const TOPICS = [
  'price:005930',
  '/topic/waiting-queue/1/2',
  '/topic/reservations/1/2',
  'ops:alert',
  'ops:log_update',
  'price:nothing',
  'nowhere',
];

const JSON_MESSAGES = (random: Random): object[] => [
  { type: 'subscribe', topic: pick(TOPICS, random) },
  { type: 'subscribe', topics: TOPICS.slice(0, 4), since: { 'price:005930': 'e-1', 'ops:alert': 'e:0' } },
  { type: 'subscribe', topic: 'ops:alert', since: 'epoch-3' },
  {
    type: 'subscribe',
    data: { event_types: ['alert', 'log_update'], filters: { alert_levels: ['error'], log_levels: ['INFO'], service_ids: ['a'] } },
  },
  { type: 'unsubscribe', topic: pick(TOPICS, random) },
  { type: 'unsubscribe', data: { event_types: ['alert'] } },
  {
    type: 'client_info',
    data: { client_id: 'c 😀', client_type: 'web', user_agent: '한글 😀', features: ['explicit'], timezone: 'Asia/Seoul' },
  },
  { type: 'service_control', data: { service_id: 's', action: 'status', options: { force: true, timeout: 30 } } },
  { type: 'send_webhook', data: { webhook_type: 'discord', url: 'https://hooks.example/x', message: 'm', variables: { a: 'b' } } },
  { type: 'ping', data: { client_time: '2026-02-06T00:00:00Z' } },
  { type: 'pong' },
];

const STOMP_FRAMES = (random: Random): string[] => [
  'CONNECT\naccept-version:1.0,1.1,1.2\nhost:x\nheart-beat:10000,10000\n\n\u0000',
  'STOMP\naccept-version:1.2\npasscode:Bearer abc\n\n\u0000',
  `SUBSCRIBE\nid:${id(random)}\ndestination:${pick(TOPICS, random)}\nreceipt:r\n\n\u0000`,
  `SUBSCRIBE\nid:json\ndestination:/topic/reservations/1/2\nsince:e\\c1\n\n\u0000`,
  `UNSUBSCRIBE\nid:${id(random)}\n\n\u0000`,
  'DISCONNECT\nreceipt:bye\n\n\u0000',
  'SEND\ndestination:x\ncontent-length:2\n\nab\u0000',
  '\n',
];

/** A message of a client, in either dialect. */
export function clientMessage(making: Making): string {
  const { random } = making;
  if (random() < 0.65) return mutatedJson(pick(JSON_MESSAGES(random), random), making);
  const frame = pick(STOMP_FRAMES(random), random);
  return random() < 0.5 ? frame : mutatedText(frame, random);
}

/** Like an event of the bus, as the queue's record holds it. */
export function busEvent(making: Making): string {
  const { random } = making;
  const { source, detailType, detail } = pick(eventExamples(random), random);
  const accepted = {
    id: 'x',
    time: pick([null, '2099-01-01T00:00:00Z', 'garbage'], random),
    acceptedAtMs: pick([0, 8.64e15, 1e18, -1], random),
    index: 0,
  };
  const given = random() < 0.3 ? { ...detail, _accepted: accepted } : detail;
  const time = pick(['2026-02-06T00:00:00Z', '2099-01-01T00:00:00Z', 'garbage'], random);
  return mutatedJson({ version: '0', id: `e${random()}`, source, 'detail-type': detailType, time, detail: given }, making);
}

/** A body of `POST /internal/events`. */
export function publishBody(making: Making): string {
  const { random } = making;
  const events = Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(eventExamples(random), random));
  return mutatedJson(
    { events: events.map((event) => (random() < 0.3 ? { ...event, id: `i${id(random)}` } : event)), lane: 'direct' },
    making,
  );
}

export interface HttpInput {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: string;
}

const PATHS = [
  ['GET', '/api/kr/realtime-prices', 'tickers=005930,000660'],
  ['GET', '/api/kr/stocks/005930/realtime-price', ''],
  ['GET', '/api/kr/stocks/005930/history', 'since=2026-02-06T22:48:44+00:00'],
  ['GET', '/internal/price/005930', ''],
  ['GET', '/internal/prices', ''],
  ['GET', '/api/kr/prices/gaps', ''],
  ['GET', '/api/health', ''],
  ['GET', '/api/messages/x', ''],
  ['POST', '/api/push/websocket/waiting-queue/subscriptions', ''],
  ['DELETE', '/api/push/websocket/waiting-queue/subscriptions', 'userId=1&concertId=2'],
  ['POST', '/api/push/websocket/reservations/subscriptions', ''],
  ['DELETE', '/api/push/websocket/reservations/subscriptions', 'userId=1&seatId=2'],
  ['GET', '/nowhere', ''],
] as const;

/** A request of a client, other than publishing. */
export function httpInput(making: Making): HttpInput {
  const { random } = making;
  const [method, path, query] = pick(PATHS, random);
  const mixed = (text: string): string => (random() < 0.4 ? mutatedText(text, random) : text);
  const body = method === 'POST' ? mutatedJson({ userId: id(random), concertId: 1, seatId: 2 }, making) : '';
  return {
    method: random() < 0.95 ? method : pick(['PUT', 'OPTIONS', 'HEAD', 'PATCH'], random),
    path: mixed(path),
    query: mixed(query),
    body,
  };
}
