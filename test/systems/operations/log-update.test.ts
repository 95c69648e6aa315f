import { beforeEach, describe, expect, test } from 'vitest';
import { ingest } from '../../../core/events/ingest.ts';
import { log, logEntry, SENT_AT_MS } from '../../helpers/events.ts';
import { type MemoryPorts, memoryPorts, posted, senderOf } from '../../helpers/ports.ts';

interface Update {
  readonly broadcast_id: string;
  readonly data: { readonly file_name: string; readonly entries: { readonly message: string }[]; readonly total_new_entries: number };
}
let ports: MemoryPorts;
beforeEach(async () => {
  ports = memoryPorts();
  await (await senderOf(ports, 'a'))({ type: 'subscribe', topic: 'ops:log_update' });
});
const publish = async (over: Record<string, unknown>): Promise<void> => {
  const { source, detailType, detail } = log(over);
  const body = JSON.stringify({ id: 'e1', source, 'detail-type': detailType, time: '2026-02-06T03:00:00Z', detail });
  expect(
    await ingest([{ id: 'r', body, sentAtMs: SENT_AT_MS }], {
      ...ports,
      deadLetters: { bury: async (_, reason) => Promise.reject(new Error(reason)) },
    }),
  ).toEqual([]);
};
const updates = (): Update[] => posted(ports, 'a').filter(({ type }) => type === 'log_update') as unknown as Update[];
/** So many entries of about 1 kB each. */
const kilobytes = (count: number): object[] =>
  Array.from({ length: count }, (_, index) => ({ ...logEntry('INFO', `${index} `.padEnd(850, 'x')) }));
const messages = ({ data }: Update): string[] => data.entries.map(({ message }) => message.split(' ')[0] ?? '');

test('an update that fits into a frame is one message, with the total that it gives', async () => {
  await publish({ entries: kilobytes(20), total_new_entries: 7_000 });

  expect(updates().map(({ broadcast_id, data }) => [broadcast_id, data.entries.length, data.total_new_entries])).toEqual([
    ['log_e1', 20, 7_000],
  ]);
});

describe('an update that is too large', () => {
  test('is split into as few messages as possible, in order, each with an id and a total of its own', async () => {
    await publish({ entries: kilobytes(200), total_new_entries: 7_000 });

    const parts = updates();
    expect(parts.map(({ broadcast_id }) => broadcast_id)).toEqual(['log_e1', 'log_e1.2', 'log_e1.3']);
    expect(parts.flatMap(messages)).toEqual(Array.from({ length: 200 }, (_, index) => String(index)));
    for (const { data } of parts) {
      expect(data.file_name).toBe('watchhamster.log');
      expect(data.total_new_entries).toBe(data.entries.length);
    }
    expect(parts.slice(0, -1).map((part) => JSON.stringify(part).length > 90_000)).toEqual([true, true]);
    expect(parts.every((part) => JSON.stringify(part).length <= 100_000)).toBe(true);
  });

  test('is delivered once, however often its event comes', async () => {
    await publish({ entries: kilobytes(200) });
    await publish({ entries: kilobytes(200) });

    expect(updates()).toHaveLength(3);
  });

  test('by one long entry keeps that entry whole, between its neighbours', async () => {
    await publish({ entries: [logEntry('INFO', 'before'), logEntry('INFO', 'x'.repeat(120_000)), logEntry('INFO', 'after')] });

    const [first, second, third] = updates() as [Update, Update & { ref: string }, Update];
    expect(updates()).toHaveLength(3);
    expect([messages(first), messages(third)]).toEqual([['before'], ['after']]);
    expect(second).toMatchObject({ data: {}, ref: expect.stringMatching(/^\/api\/messages\//) });
    expect(await ports.bodies.read(second.ref.slice('/api/messages/'.length))).toMatchObject({
      topic: 'ops:log_update',
      payload: { data: { entries: [{ message: 'x'.repeat(120_000) }], total_new_entries: 1 } },
    });
  });
});

test('an update counts its entries if it gives no total', async () => {
  await publish({ entries: kilobytes(3), total_new_entries: undefined });

  expect(updates()[0]?.data.total_new_entries).toBe(3);
});

test('an entry has the fields that it leaves out, and its level in capitals', async () => {
  await publish({ entries: [{ timestamp: '2024-01-01T12:00:00Z', level: 'warning', message: 'm' }] });

  expect(updates()[0]?.data.entries).toEqual([
    { timestamp: '2024-01-01T12:00:00Z', level: 'WARNING', logger_name: '', message: 'm', module: '', line_number: 0, thread_id: '' },
  ]);
});
