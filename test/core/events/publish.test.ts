import { beforeEach, describe, expect, test } from 'vitest';
import { type PublishPorts, publish } from '../../../core/events/publish.ts';
import { METRIC } from '../../../core/names.ts';
import type { AcceptedEvent, KeyHolder } from '../../../core/ports/events.ts';
import { alert, tick } from '../../helpers/events.ts';
import { type MemoryPorts, memoryPorts } from '../../helpers/ports.ts';

let memory: MemoryPorts;
let ports: PublishPorts;
let sent: { lane: string; events: readonly AcceptedEvent[] }[];
/** Indexes that the lanes do not take. */
let refused: number[];
beforeEach(() => {
  memory = memoryPorts();
  sent = [];
  refused = [];
  const lane = (name: string) => ({
    send: async (events: readonly AcceptedEvent[]) => {
      sent.push({ lane: name, events });
      return refused;
    },
  });
  ports = { ...memory, lanes: { bus: lane('bus'), direct: lane('direct') } };
});

const ANY: KeyHolder = { source: '*', agent: null };
const good = (over: Record<string, unknown> = {}) => ({ ...alert(), ...over });
const post = (events: unknown, over: Record<string, unknown> = {}) => publish(JSON.stringify({ events, ...over }), ANY, ports);
const ids = (): string[] => sent.flatMap(({ events }) => events.map(({ id }) => id));

describe('a request', () => {
  test('goes over the bus, or over the lane that it names', async () => {
    await post([good()]);
    await post([good()], { lane: 'direct' });

    expect(sent.map(({ lane }) => lane)).toEqual(['bus', 'direct']);
  });

  test.each([
    ['another lane', { events: [good()], lane: 'fast' }],
    ['no event', { events: [] }],
    ['501 events', { events: Array.from({ length: 501 }, () => 1) }],
    ['no list', { events: 'x' }],
    ['nothing', {}],
  ])('with %s is refused as a whole', async (_, body) => {
    await expect(publish(JSON.stringify(body), ANY, ports)).rejects.toMatchObject({
      code: 'INVALID_MESSAGE_FORMAT',
      message: expect.stringMatching(/^body\.(events|lane): /),
    });

    expect(sent).toEqual([]);
  });

  test('says how many events it may have', async () => {
    await expect(post([])).rejects.toThrow('body.events: expected 1 to 500 events');
    await expect(post(Array.from({ length: 501 }, () => 1))).rejects.toThrow('body.events: expected 1 to 500 events');
  });

  test('may have 500 events', async () => {
    expect(await post(Array.from({ length: 500 }, () => good()))).toEqual({ accepted: 500, rejected: [] });
  });

  test('may have a million bytes, counted in UTF-8, and not one more', async () => {
    const bare = Buffer.byteLength(JSON.stringify({ events: [good()], pad: '' }));
    const pad = 'é'.repeat(Math.floor((1_000_000 - bare) / 2)) + 'x'.repeat((1_000_000 - bare) % 2);

    expect(await post([good()], { pad })).toEqual({ accepted: 1, rejected: [] });
    await expect(post([good()], { pad: `${pad}x` })).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      details: { limit_bytes: 1_000_000 },
    });
  });

  test('that is no JSON is refused', async () => {
    await expect(publish('{', ANY, ports)).rejects.toMatchObject({ code: 'INVALID_MESSAGE_FORMAT', message: 'expected JSON' });
  });
});

describe('an accepted event', () => {
  test('keeps its fields, and is stamped with its acceptance and its index', async () => {
    const { source, detailType, detail } = alert();
    await post([good(), good({ id: 'mine', time: '2026-02-06T03:00:00.5Z' })]);

    expect(sent[0]?.events[1]).toEqual({
      id: 'mine',
      source,
      detailType,
      detail,
      time: '2026-02-06T03:00:00.5Z',
      acceptedAtMs: memory.clock.now(),
      index: 1,
    });
  });

  test('gets an id of ours if it has none, and no time', async () => {
    await post([good()]);

    expect(sent[0]?.events[0]).toMatchObject({ id: 'id0', time: null, index: 0 });
  });

  test('keeps the acceptance that its id had first', async () => {
    const firstMs = memory.clock.now();
    await post([good({ id: 'mine' })]);
    memory.clock.nowMs += 60_000;
    await post([good(), good({ id: 'mine' }), good({ id: 'other' })]);

    expect(sent[1]?.events.map(({ id, acceptedAtMs, index }) => [id, acceptedAtMs - firstMs, index])).toEqual([
      ['id0', 60_000, 0],
      ['mine', 0, 0],
      ['other', 60_000, 2],
    ]);
  });

  test('without an id of its own is not looked up', async () => {
    memory.catalogue.firstAcceptance = () => Promise.reject(new Error('this is never asked'));

    expect(await post([good()])).toEqual({ accepted: 1, rejected: [] });
  });

  test('leaves in the order of the request, however long each one took to check', async () => {
    const { firstAcceptance } = memory.catalogue;
    memory.catalogue.firstAcceptance = async (id, given) => {
      if (id === 'a') await new Promise((done) => setImmediate(done));
      return firstAcceptance(id, given);
    };

    await post(['a', 'b', 'c'].map((id) => good({ id })));

    expect(ids()).toEqual(['a', 'b', 'c']);
  });
});

describe('a bad event', () => {
  test.each([
    ['a field that is missing', { source: undefined }, 'INVALID_MESSAGE_FORMAT', 'event.source: is missing'],
    ['an empty id', { id: '' }, 'INVALID_MESSAGE_FORMAT', /^event\.id: /],
    ['an id of 129 characters', { id: 'x'.repeat(129) }, 'INVALID_MESSAGE_FORMAT', /^event\.id: /],
    ['an id that looks like a part', { id: 'e\u001f2' }, 'INVALID_MESSAGE_FORMAT', 'event.id: expected an id without control characters'],
    ['a time without zone', { time: '2026-02-06T03:00:00' }, 'INVALID_MESSAGE_FORMAT', 'event.time: expected ISO 8601 with a zone'],
    ['an unknown type', { detailType: 'Nothing' }, 'INVALID_MESSAGE_FORMAT', 'no channel takes ops.monitor / Nothing'],
    ['a wrong detail', { detail: {} }, 'INVALID_MESSAGE_FORMAT', 'detail.level: is missing'],
  ])('with %s is rejected, and the others go on', async (_, over, code, message) => {
    const receipt = await post([good({ id: 'first' }), good(over), good({ id: 'last' })]);

    expect(receipt).toEqual({
      accepted: 2,
      rejected: [{ index: 1, error_code: code, error_message: typeof message === 'string' ? message : expect.stringMatching(message) }],
    });
    expect(ids()).toEqual(['first', 'last']);
    expect(memory.report.counts.get(METRIC.invalidEvents)).toBe(1);
  });

  test('is counted, each', async () => {
    await post([1, 2, good(), 3]);

    expect(memory.report.counts.get(METRIC.invalidEvents)).toBe(3);
  });

  test('does not count if there is none', async () => {
    await post([good()]);

    expect(memory.report.counts.has(METRIC.invalidEvents)).toBe(false);
  });

  test('keeps the index that the event after it has', async () => {
    await post([1, good({ id: 'second' })]);

    expect(sent[0]?.events).toMatchObject([{ id: 'second', index: 1 }]);
  });
});

test('a detail may be as large as the limit, and not a byte larger', async () => {
  const bytes = Buffer.byteLength(JSON.stringify(alert().detail));

  ports = { ...ports, maxMessageBytes: bytes };
  expect(await post([good()])).toMatchObject({ accepted: 1 });
  ports = { ...ports, maxMessageBytes: bytes - 1 };

  expect(await post([good()])).toEqual({
    accepted: 0,
    rejected: [{ index: 0, error_code: 'PAYLOAD_TOO_LARGE', error_message: `detail: ${bytes} bytes, allowed are ${bytes - 1}` }],
  });
});

test('events that a lane does not take are rejected by their index in the request', async () => {
  refused = [0, 2];

  const receipt = await post([1, good({ id: 'a' }), good({ id: 'b' }), 2, good({ id: 'c' })]);

  expect(receipt.accepted).toBe(1);
  expect(receipt.rejected.map(({ index, error_code }) => [index, error_code])).toEqual([
    [0, 'INVALID_MESSAGE_FORMAT'],
    [1, 'INTERNAL_SERVER_ERROR'],
    [3, 'INVALID_MESSAGE_FORMAT'],
    [4, 'INTERNAL_SERVER_ERROR'],
  ]);
  expect(receipt.rejected[1]?.error_message).toBe('the event was not taken; send it again');
});

test('an outage fails the request: no event is called bad for it', async () => {
  memory.catalogue.firstAcceptance = () => Promise.reject(new Error('no table'));

  await expect(post([good({ id: 'mine' })])).rejects.toThrow('no table');

  expect(sent).toEqual([]);
});

test('unknown fields of a detail still travel: another channel may know them', async () => {
  const { source, detailType, detail } = tick('005930', 1, { extra: 'kept' });

  await post([{ source, detailType, detail }]);

  expect(sent[0]?.events[0]?.detail).toMatchObject({ extra: 'kept' });
});
