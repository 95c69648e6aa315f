import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { orderOf } from '../../../core/base/ordering.ts';
import { A_DAY, type Channel, type EventMeta, type LogCommit, type Outcome } from '../../../core/channels/channel.ts';
import { defineChannel, type EventTime, event, type MessageOf } from '../../../core/channels/define-channel.ts';
import { ANYONE, onlyRole, onlyUser } from '../../../core/channels/permits.ts';
import { NUMBER } from '../../../core/channels/topic-pattern.ts';
import { ANYBODY } from '../../../core/identity.ts';
import type { StateCommit } from '../../../core/ports/topics.ts';

interface Order {
  readonly carrier: string;
  readonly at: EventTime;
}
interface Parts {
  readonly newest: Order;
  readonly halt: { readonly halted: boolean };
}
const many = v.object({ carriers: v.array(v.string()), timestamp: v.optional(v.string()) });
type Many = v.InferOutput<typeof many>;

const draft = (timestamp?: string) => (carrier: string) => ({
  topic: { orderId: 7, userId: 'me' },
  timestamp,
  append: ({ ms }: EventTime) => ({ recent: `${ms}:${carrier}` }),
  value: (at: EventTime): Order => ({ carrier, at }),
});
const log = defineChannel({
  name: 'orders',
  kind: 'log',
  source: 'shop.orders',
  topic: '/topic/orders/{orderId}/{userId}',
  parameters: { orderId: NUMBER },
  events: { Shipped: event(many, ({ carriers, timestamp }: Many) => carriers.map(draft(timestamp))) },
  payload: ({ parts: { newest } }: MessageOf<{ newest: Order }>) => newest && { carrier: newest.carrier },
  permits: onlyUser('userId'),
});
const state = defineChannel({
  name: 'states',
  kind: 'state',
  source: 'shop.states',
  topic: 'state:{orderId}:{userId}',
  parameters: { orderId: NUMBER },
  events: {
    Shipped: event(many, ({ carriers, timestamp }: Many) => carriers.map(draft(timestamp))),
    Halted: event(v.object({}), () => ({
      topic: { orderId: 7, userId: 'me' },
      part: 'halt' as const,
      rank: 3,
      value: () => ({ halted: true }),
    })),
    Expected: event(v.object({ names: v.array(v.string()) }), ({ names }) =>
      names.map((name, index) => ({ topic: { orderId: index, userId: 'me' }, expectedAs: name })),
    ),
  },
  payload: ({ parts }: MessageOf<Parts>) => parts.newest,
  permits: ANYONE,
});

const meta = (over: Partial<EventMeta> = {}): EventMeta => ({ id: 'e1', time: null, acceptedAtMs: 1_000_000, index: 2, ...over });
const outcomes = (channel: Channel, type: string, detail: object, of: EventMeta = meta()): Outcome[] =>
  channel.events[type]?.outcomes(detail, of) ?? [];
const iso = (ms: number): string => new Date(ms).toISOString();

describe('a log event', () => {
  test('becomes one append, once for its id', () => {
    expect(outcomes(log, 'Shipped', { carriers: ['a'] })).toEqual([
      {
        kind: 'log',
        topic: '/topic/orders/7/me',
        eventId: 'e1',
        ahead: false,
        value: { carrier: 'a', at: { ms: 1_000_000, iso: iso(1_000_000), given: null } },
      },
    ]);
  });

  test('with several messages gives each an id of its own that a redelivery gives it again', () => {
    const ids = () => outcomes(log, 'Shipped', { carriers: ['a', 'b', 'c'] }).map((one) => (one as LogCommit).eventId);

    expect(ids()).toEqual(['e1', 'e1\u001f2', 'e1\u001f3']);
    expect(ids()).toEqual(ids());
  });

  test('without messages comes to nothing', () => {
    expect(outcomes(log, 'Shipped', { carriers: [] })).toEqual([]);
  });
});

describe('a state event', () => {
  const orders = (of: EventMeta, carriers = ['a', 'b']): string[] =>
    outcomes(state, 'Shipped', { carriers }, of).map((one) => (one as StateCommit).order);

  test('replaces the newest part, and appends to the notes in the same write', () => {
    const [commit, ...others] = outcomes(state, 'Shipped', { carriers: ['a'] });

    expect(commit).toMatchObject({ kind: 'state', topic: 'state:7:me', part: 'newest', append: { recent: '1000000:a' }, ahead: false });
    expect(others).toEqual([]);
  });

  test('replaces the part that it names, by its rank, and appends nothing of itself', () => {
    const order = orderOf({ atMicros: 1_000_000_000, acceptedAtMs: 1_000_000, index: 2_000, id: 'e1', rank: 3 });

    expect(outcomes(state, 'Halted', {})).toEqual([
      { kind: 'state', topic: 'state:7:me', part: 'halt', order, append: {}, ahead: false, value: { halted: true } },
    ]);
  });

  test('has the rank 0 unless it gives one', () => {
    expect(orders(meta(), ['a'])).toEqual([orderOf({ atMicros: 1_000_000_000, acceptedAtMs: 1_000_000, index: 2_000, id: 'e1', rank: 0 })]);
  });

  test('orders its messages as it made them, after those of the events before it in the request', () => {
    const of = [...orders(meta({ id: 'z', index: 0 })), ...orders(meta({ id: 'a', index: 1 })), ...orders(meta({ id: 'b', index: 2 }))];

    expect([...of].sort()).toEqual(of);
    expect(new Set(of).size).toBe(6);
  });
});

describe('the time of an event', () => {
  const timed = (detail: { timestamp?: string }, of: Partial<EventMeta> = {}) => {
    const [commit] = outcomes(log, 'Shipped', { carriers: ['a'], ...detail }, meta(of));
    const { ahead, value } = commit as LogCommit;
    return { ahead, at: (value as Order).at };
  };

  test('is the one in its detail', () => {
    expect(timed({ timestamp: '1970-01-01T00:00:05.123456Z' }, { time: iso(9_000) })).toEqual({
      ahead: false,
      at: { ms: 5_123, iso: iso(5_123), given: '1970-01-01T00:00:05.123456Z' },
    });
  });

  test("is the envelope's if the detail has none", () => {
    expect(timed({}, { time: iso(9_000) })).toEqual({ ahead: false, at: { ms: 9_000, iso: iso(9_000), given: iso(9_000) } });
  });

  test('is its acceptance if neither has one', () => {
    expect(timed({})).toEqual({ ahead: false, at: { ms: 1_000_000, iso: iso(1_000_000), given: null } });
  });

  test('is its acceptance if the given one is more than 5 s ahead, and the message says so', () => {
    expect(timed({ timestamp: iso(1_005_000) })).toMatchObject({ ahead: false, at: { given: iso(1_005_000) } });
    expect(timed({ timestamp: iso(1_005_001) })).toEqual({ ahead: true, at: { ms: 1_000_000, iso: iso(1_000_000), given: null } });
  });
});

test('an event that expects topics lists them with their names, and commits nothing', () => {
  expect(outcomes(state, 'Expected', { names: ['first', 'second'] })).toEqual([
    {
      kind: 'listing',
      channel: 'states',
      entries: [
        { topic: 'state:0:me', name: 'first' },
        { topic: 'state:1:me', name: 'second' },
      ],
    },
  ]);
});

test('an event that expects a single topic lists it', () => {
  expect(outcomes(state, 'Expected', { names: ['only'] })).toEqual([
    { kind: 'listing', channel: 'states', entries: [{ topic: 'state:0:me', name: 'only' }] },
  ]);
});

test('a channel that declares no more than it must has the defaults', () => {
  expect(log).toMatchObject({
    name: 'orders',
    kind: 'log',
    source: 'shop.orders',
    topicHint: '/topic/orders/{orderId}/{userId}',
    lifeMs: null,
    keepsAlive: false,
    filtering: null,
    history: A_DAY,
    committed: null,
    http: null,
    permitHint: 'is for its user alone',
  });
});

test('a channel keeps what it declares', () => {
  const committed = async () => undefined;
  const filtering = { name: 'f', values: v.string(), facets: () => [], narrow: () => null };
  const history = { messages: 1, ms: 2, most: 3 };

  const declared = defineChannel({
    name: 'n',
    kind: 'state',
    source: 's',
    topic: 't',
    events: {},
    payload: () => null,
    permits: ANYONE,
    lifeMs: 5,
    keepsAlive: true,
    filtering,
    history,
    committed,
  });

  expect(declared).toMatchObject({ lifeMs: 5, keepsAlive: true, filtering, history, committed });
});

test('a topic is of a channel if it matches the pattern', () => {
  expect(log.matches('/topic/orders/7/me')).toBe(true);
  expect(log.matches('/topic/orders/x/me')).toBe(false);
});

test("a payload is made of the parts and the topic's values; nothing to deliver is null", () => {
  const seen: unknown[] = [];
  const channel = defineChannel({
    name: 'n',
    kind: 'state',
    source: 's',
    topic: 't:{a}',
    parameters: { a: NUMBER },
    events: {},
    payload: (message: MessageOf<{ newest: { a: number } }>) => {
      seen.push(message);
      return message.parts.newest;
    },
    permits: ANYONE,
  });
  const message = { topic: 't:7', nowMs: 5, repeated: true, settings: { X: '1' } };

  expect(channel.payload({ ...message, parts: { newest: { a: 1 } } })).toEqual({ a: 1 });
  expect(channel.payload({ ...message, parts: {} })).toBeNull();

  expect(seen[0]).toEqual({ ...message, parts: { newest: { a: 1 } }, values: { a: 7 } });
});

describe('a permit', () => {
  const me = { userId: 'me', roles: ['reader'] };
  const permitted = (permits: Parameters<typeof defineChannel>[0]['permits'], topic = 't:me') => {
    const channel = defineChannel({ name: 'n', kind: 'log', source: 's', topic: 't:{a}', events: {}, payload: () => null, permits });
    return { hint: channel.permitHint, me: channel.permits(topic, me), anybody: channel.permits(topic, ANYBODY) };
  };

  test('for everybody lets everybody in', () => {
    expect(permitted(ANYONE)).toEqual({ hint: 'is for everybody', me: true, anybody: true });
  });

  test('for a user lets in the one that the topic names', () => {
    expect(permitted(onlyUser('a'))).toEqual({ hint: 'is for its user alone', me: true, anybody: true });
    expect(permitted(onlyUser('a'), 't:you')).toMatchObject({ me: false, anybody: true });
  });

  test('for a user compares a number as text', () => {
    const numbered = defineChannel({
      name: 'n',
      kind: 'log',
      source: 's',
      topic: 't:{a}',
      parameters: { a: NUMBER },
      events: {},
      payload: () => null,
      permits: onlyUser('a'),
    });

    expect(numbered.permits('t:100', { userId: '100', roles: [] })).toBe(true);
    expect(numbered.permits('t:100', { userId: '10', roles: [] })).toBe(false);
  });

  test('for a role lets in those that hold it', () => {
    expect(permitted(onlyRole('reader'))).toEqual({ hint: 'needs the role reader', me: true, anybody: true });
    expect(permitted(onlyRole('writer'))).toMatchObject({ me: false, anybody: true });
  });
});

describe('over HTTP', () => {
  const base = {
    name: 'seats',
    kind: 'state',
    source: 's',
    topic: '/topic/seats/{seatId}/{userId}',
    parameters: { seatId: NUMBER, userId: NUMBER },
    events: {},
    payload: () => null,
    permits: ANYONE,
  } as const;
  const plain = defineChannel({ ...base, http: { stream: '/stream', registrations: '/registrations' } }).http;
  const special = defineChannel({
    ...base,
    http: {
      stream: '/stream',
      registrations: '/registrations',
      parameters: ['userId', 'seatId'],
      notice: ({ userId }) => ({ userId }),
      event: (data) => ({ name: 'SPECIAL', data }),
      unknown: (values, nowMs) => ({ ...values, nowMs }),
    },
  }).http;

  test('a channel has the paths that it names', () => {
    expect(plain).toMatchObject({ stream: '/stream', registrations: '/registrations' });
  });

  test('a request gives the topic and its values', () => {
    expect(plain?.read({ query: { seatId: '1', userId: '2' } })).toEqual({ topic: '/topic/seats/1/2', values: { seatId: 1, userId: 2 } });
    expect(special?.read({ body: { seatId: 1, userId: 2 } })).toEqual({ topic: '/topic/seats/1/2', values: { seatId: 1, userId: 2 } });
  });

  test('an error names the first wrong parameter, in the order that the channel gives', () => {
    const wrong = { query: { seatId: 'x', userId: 'y' } };

    expect(() => plain?.read(wrong)).toThrow('seatId: expected a whole number from 0 up, got "x"');
    expect(() => special?.read(wrong)).toThrow('userId: expected a whole number from 0 up, got "y"');
  });

  test('upstreams get all parameters, unless the channel selects some', () => {
    expect(plain?.notice({ seatId: 1, userId: 2 })).toEqual({ seatId: 1, userId: 2 });
    expect(special?.notice({ seatId: 1, userId: 2 })).toEqual({ userId: 2 });
  });

  test("an event has the channel's name and the payload, unless the channel says otherwise", () => {
    expect(plain?.event({ a: 1 })).toEqual({ name: 'seats', data: { a: 1 } });
    expect(special?.event({ a: 1 })).toEqual({ name: 'SPECIAL', data: { a: 1 } });
  });

  test('a topic without message has data only if the channel has some', () => {
    expect(plain?.unknown).toBeNull();
    expect(special?.unknown?.({ seatId: 1, userId: 2 }, 5)).toEqual({ seatId: 1, userId: 2, nowMs: 5 });
  });
});

describe('a declaration that cannot work is refused with the channel and what was expected:', () => {
  const form = { name: 'gate', kind: 'state', source: 's', topic: 'gate:{flight}', events: {}, payload: () => null, permits: ANYONE };
  const wrong: readonly (readonly [string, object, RegExp])[] = [
    ['an empty name', { name: '' }, /channel "": expected a name/],
    ['an unknown kind', { kind: 'queue' }, /channel "gate": expected the kind state or log, got "queue"/],
    ['a parameter named twice', { topic: '{flight}:{flight}' }, /each parameter once/],
    ['a form of no parameter', { parameters: { nope: NUMBER } }, /\{nope\} in the topic/],
    ['a log that is forgotten before its messages', { kind: 'log', lifeMs: 1_000 }, /lifeMs of more than a day, got 1000/],
  ];
  test.each(wrong)('%s', (_, over, expected) => {
    expect(() => defineChannel({ ...form, ...over } as unknown as Parameters<typeof defineChannel>[0])).toThrow(expected);
  });
});

test('an event whose topic no client could subscribe to is refused', () => {
  const gate = defineChannel({
    name: 'gate',
    kind: 'state',
    source: 's',
    topic: 'gate:{flight}',
    events: { Changed: event(v.object({ flight: v.string() }), ({ flight }) => ({ topic: { flight }, value: () => ({ flight }) })) },
    payload: ({ parts: { newest } }: MessageOf<{ newest: { flight: string } }>) => newest ?? null,
    permits: ANYONE,
  });
  const meta = { id: 'e', time: null, acceptedAtMs: 0, index: 0 };
  const outcomes = (flight: string) => gate.events['Changed']?.outcomes({ flight }, meta);

  expect(outcomes('KE123')).toMatchObject([{ topic: 'gate:KE123' }]);
  expect(() => outcomes('bad topic/')).toThrow('detail: there is no topic "gate:bad topic/", expected gate:{flight}');
});
