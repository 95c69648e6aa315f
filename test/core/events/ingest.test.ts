import * as v from 'valibot';
import { expect, test } from 'vitest';
import { channelsOf } from '../../../core/channels/channels.ts';
import { defineChannel, event, type MessageOf } from '../../../core/channels/define-channel.ts';
import { ANYONE } from '../../../core/channels/permits.ts';
import { ingest } from '../../../core/events/ingest.ts';
import { MAX_INLINE_BYTES, METRIC } from '../../../core/names.ts';
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
    { ...ports, deadEvents: { bury } },
  );

  expect(failed).toEqual([]);
  expect(buried).toEqual([`too-large: detail: ${MAX_INLINE_BYTES + 1} bytes, allowed are ${MAX_INLINE_BYTES}`]);
  expect(ports.report.counts.get(METRIC.invalidEvents)).toBe(1);
  expect((await ports.topics.read(['board:one'])).get('board:one')?.parts).toMatchObject({
    newest: { text: expect.stringMatching(/^x+$/) },
  });
});
