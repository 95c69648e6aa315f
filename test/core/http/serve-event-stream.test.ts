import { beforeEach, expect, test } from 'vitest';
import { openStream } from '../../../core/http/event-stream.ts';
import { type ServeStreamPorts, serveStream } from '../../../core/http/serve-event-stream.ts';
import { METRIC } from '../../../core/names.ts';
import { type MemoryPorts, memoryPorts } from '../../helpers/ports.ts';

let memory: MemoryPorts;
let ports: ServeStreamPorts;
let open: number;
let left: number[];
beforeEach(() => {
  memory = memoryPorts();
  open = 0;
  left = [];
  ports = {
    ...memory,
    lifeMs: 5_000,
    mostStreams: 1,
    streams: { enter: async () => ++open, leave: async (enteredAtMs) => void left.push(enteredAtMs) },
  };
});
const request = {
  method: 'GET',
  path: '/api/reservations/v5/subscribe',
  query: { userId: '100', seatId: '55' },
  token: null,
  lastEventId: null,
};
const served = async (pieces = Number.POSITIVE_INFINITY): Promise<string[]> => {
  const startedMs = memory.clock.now();
  const all: string[] = [];
  for await (const text of serveStream(await openStream(request, ports), startedMs, ports)) {
    all.push(text);
    if (all.length === pieces) break;
  }
  return all;
};

test('a stream lasts its life, counts its pieces, and is counted out', async () => {
  const startedMs = memory.clock.now();

  expect(await served()).toEqual([': keep-alive\n']);

  expect(memory.clock.now() - startedMs).toBe(5_000);
  expect(memory.report.counts.get(METRIC.messagesOut)).toBe(1);
  expect(left).toEqual([startedMs]);
  expect(memory.report.lines).toEqual(['stream', 'stream ended']);
});

test('the stream past the most is a finite answer, and is counted out, too', async () => {
  open = 1;

  expect(await served()).toEqual([': keep-alive\n']);

  expect(left).toHaveLength(1);
});

test('a stream whose client left is counted out', async () => {
  await served(1);

  expect(left).toHaveLength(1);
  expect(memory.report.counts.get(METRIC.messagesOut)).toBe(1);
});

test('a client is served although its stream could not be counted', async () => {
  ports = {
    ...ports,
    streams: { enter: () => Promise.reject(new Error('no table')), leave: () => Promise.reject(new Error('still none')) },
  };

  expect(await served()).toHaveLength(1);

  expect(memory.report.lines).toEqual([
    'a stream could not be counted: Error: no table',
    'stream',
    'stream ended',
    'a stream could not be counted out: Error: still none',
  ]);
});
