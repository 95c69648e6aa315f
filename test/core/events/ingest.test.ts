import * as v from 'valibot';
import { expect, test } from 'vitest';
import { channelsOf } from '../../../core/channels/channels.ts';
import { defineChannel, event, type MessageOf } from '../../../core/channels/define-channel.ts';
import { ANYONE } from '../../../core/channels/permits.ts';
import { ingest } from '../../../core/events/ingest.ts';
import { DRAIN_TIMEOUT_SECONDS, MAX_INLINE_BYTES, METRIC } from '../../../core/names.ts';
import { SENT_AT_MS } from '../../helpers/events.ts';
import { memoryPorts } from '../../helpers/ports.ts';

interface Value {
  readonly text: string;
}
const BOARD = defineChannel({
  name: 'board',
  kind: 'state',
  source: 'test.board',
  topic: 'board:one',
  events: { Written: event(v.object({ text: v.string() }), ({ text }) => ({ topic: {}, value: () => ({ text }) })) },
  payload: ({ parts: { newest } }: MessageOf<{ newest: Value }>) => newest && { type: 'board', data: newest },
  permits: ANYONE,
});

const written = (id: string, text: string) => ({
  id,
  sentAtMs: SENT_AT_MS,
  body: JSON.stringify({ id, source: 'test.board', 'detail-type': 'Written', time: '2026-01-01T00:00:00Z', detail: { text } }),
});

test('a state that no frame can hold goes to the dead-letter queue with the reason, and stops no other', async () => {
  const ports = { ...memoryPorts(), channels: channelsOf([BOARD], {}) };
  const buried: string[] = [];
  const bury = async (body: string, reason: string) => void buried.push(`${(JSON.parse(body) as { id: string }).id}: ${reason}`);
  const bare = JSON.stringify({ text: '' }).length;

  const failed = await ingest(
    [written('fits', 'x'.repeat(MAX_INLINE_BYTES - bare)), written('too-large', 'x'.repeat(MAX_INLINE_BYTES - bare + 1))],
    { ...ports, deadLetters: { bury } },
  );

  expect(failed).toEqual([]);
  expect(buried).toEqual([`too-large: detail: ${MAX_INLINE_BYTES + 1} bytes, allowed are ${MAX_INLINE_BYTES}`]);
  expect(ports.report.counts.get(METRIC.invalidEvents)).toBe(1);
  expect((await ports.topics.read(['board:one'])).get('board:one')?.parts).toMatchObject({
    newest: { text: expect.stringMatching(/^x+$/) },
  });
});

test('a batch that takes too long ends in time: what is committed stays, and only the rest comes back', async () => {
  const LETTER = defineChannel({
    name: 'letter',
    kind: 'log',
    source: 'test.letter',
    topic: 'letter:{to}',
    events: { Sent: event(v.object({ to: v.string() }), ({ to }) => ({ topic: { to }, value: () => ({ to }) })) },
    payload: ({ parts: { newest } }: MessageOf<{ newest: object }>) => newest ?? null,
    permits: ANYONE,
  });
  const ports = { ...memoryPorts(), channels: channelsOf([LETTER], {}) };
  const { putLog } = ports.topics;
  ports.topics.putLog = (...given) => {
    ports.clock.nowMs += 250;
    return putLog(...given);
  };
  const records = Array.from({ length: 200 }, (_, index) => ({
    id: `r${index}`,
    sentAtMs: SENT_AT_MS,
    body: JSON.stringify({
      id: `e${index}`,
      source: 'test.letter',
      'detail-type': 'Sent',
      time: '2026-01-01T00:00:00Z',
      detail: { to: `t${index}` },
    }),
  }));
  const serve = () => ingest(records, { ...ports, deadLetters: { bury: async (_, reason) => Promise.reject(new Error(reason)) } });

  for (const { id } of records) await ports.topics.hear(`letter:t${id.slice(1)}`);

  const startedMs = ports.clock.nowMs;
  const failed = await serve();

  expect(ports.clock.nowMs - startedMs).toBeLessThan(DRAIN_TIMEOUT_SECONDS * 1_000);
  expect(failed.length).toBeGreaterThan(0);
  expect(failed.length).toBeLessThan(records.length);
  const heads = await ports.topics.read(records.map((_, index) => `letter:t${index}`));
  const committed = [...heads.values()].filter(({ head }) => head > 0).map(({ topic }) => topic);
  expect(committed.length + failed.length).toBe(records.length);
  // what is committed is delivered by jobs
  expect(ports.jobs.jobs.flatMap(({ job }) => (job.kind === 'drain' ? [job.topic] : [])).sort()).toEqual(committed.sort());
  expect(ports.report.counts.get(METRIC.errors)).toBeUndefined();
});
