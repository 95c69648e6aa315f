/**
 * Clients in Python: stomp.py over its own WebSocket library, and two readers of event streams. `PYTHON` names an interpreter
 * that has them.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshId, rank, settled } from '../helpers/events.ts';
import { sharedHost } from '../helpers/host.ts';
import { inOrder } from '../helpers/in-order.ts';
import { type OwnRun, ownRun } from '../helpers/local.ts';
import { PROCESS_MS } from '../helpers/within.ts';

const PYTHON = process.env['PYTHON'] ?? 'python3';

const host = sharedHost();
let own: OwnRun;
beforeAll(async () => {
  try {
    execFileSync(PYTHON, ['-c', 'import stomp, websocket, httpx_sse, requests, sseclient'], { stdio: 'ignore' });
  } catch {
    throw new Error(
      `${PYTHON} lacks a client: python3 -m venv .venv && .venv/bin/pip install stomp.py websocket-client httpx-sse httpx requests sseclient-py, then PYTHON=.venv/bin/python`,
    );
  }
  own = await ownRun();
});
afterAll(() => own?.run.stop());

interface Line {
  readonly kind: string;
  readonly headers: Record<string, string>;
  readonly body?: Record<string, unknown>;
}

/** Runs the client until it has received this many messages and has left. Calls `onSubscribed` at the receipt of its SUBSCRIBE. */
async function runClient(
  destination: string,
  messages: number,
  onSubscribed: () => Promise<void>,
): Promise<{ lines: Line[]; code: number | null }> {
  const { hostname, port } = new URL(host.url);
  const child = spawn(PYTHON, ['test/clients/stomp_client.py', hostname, port, destination, String(messages)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: PROCESS_MS,
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const lines: Line[] = [];
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text) as Line;
    lines.push(line);
    if (line.headers['receipt-id'] === 'r-sub') await onSubscribed();
  }
  return { lines, code: await ended };
}

test('stomp.py connects, subscribes, gets messages and receipts, unsubscribes and leaves', { timeout: 60_000 }, async () => {
  const [userId, concertId] = [freshId(), freshId()];
  const topic = `/topic/waiting-queue/${concertId}/${userId}`;
  const publisher = await inOrder(host, topic);
  await publisher.publish([rank(concertId, userId, 9)]);

  const { lines, code } = await runClient(topic, 2, () => host.publish([rank(concertId, userId, 8)]));

  await publisher.close();
  expect(code).toBe(0);
  expect(lines.map(({ kind }) => kind)).toEqual(['connected', 'receipt', 'message', 'message', 'receipt', 'receipt']);
  expect(lines.flatMap(({ body }) => (body ? [(body['data'] as { rank: number }).rank] : []))).toEqual([9, 8]);
});

test('stomp.py gets the messages since its registration, in order', { timeout: 60_000 }, async () => {
  const [userId, seatId] = [freshId(), freshId()];
  const topic = `/topic/reservations/${seatId}/${userId}`;
  const publisher = await inOrder(host, topic);
  await host.post('/api/push/websocket/reservations/subscriptions', { userId, seatId }, {});
  await publisher.publish([settled(seatId, userId, 'FAIL'), settled(seatId, userId, 'SUCCESS')]);

  const { lines, code } = await runClient(topic, 3, () => host.publish([settled(seatId, userId, 'FAIL')]));

  await publisher.close();
  expect(code).toBe(0);
  const messages = lines.filter(({ kind }) => kind === 'message');
  expect(messages.map(({ body }) => body?.['status'])).toEqual(['FAIL', 'SUCCESS', 'FAIL']);
  expect(messages.map(({ headers }) => headers['message-id']?.split('-')[1])).toEqual(['1', '2', '3']);
});

test.each(['httpx-sse', 'sseclient-py'])(
  '%s gets each event of a stream once, and nothing that is no event',
  { timeout: 60_000 },
  async (library) => {
    const [userId, seatId] = [freshId(), freshId()];
    const url = `${own.url}/api/reservations/v5/subscribe?userId=${userId}&seatId=${seatId}`;
    const child = spawn(PYTHON, ['test/clients/sse_client.py', library, url, '3'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: PROCESS_MS,
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const lines: { open?: number; event?: string; data?: string; id?: string }[] = [];
    for await (const text of createInterface({ input: child.stdout })) {
      const line = JSON.parse(text) as (typeof lines)[number];
      lines.push(line);
      // a sign of life comes before the events, and between them
      if (line.open) {
        own.run.clock.advance(15_000);
        await own.publish([settled(seatId, userId, 'FAIL'), settled(seatId, userId, 'SUCCESS')]);
        await own.run.settled();
        own.run.clock.advance(15_000);
        await own.publish([settled(seatId, userId, 'FAIL')]);
      }
    }

    expect(await ended).toBe(0);
    expect(lines.slice(1).map(({ event, data, id }) => [event, JSON.parse(data ?? '').status, id?.split('-')[1]])).toEqual([
      ['RESERVATION_STATUS', 'FAIL', '1'],
      ['RESERVATION_STATUS', 'SUCCESS', '2'],
      ['RESERVATION_STATUS', 'FAIL', '3'],
    ]);
  },
);
