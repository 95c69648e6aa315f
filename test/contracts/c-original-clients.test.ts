/** The original's JavaScript examples, unchanged, in Node, and its React hook rendered (`test/clients/originals/`). */
import { Script } from 'node:vm';
import { afterEach, expect, test } from 'vitest';
import WebSocket from 'ws';
import { alert, freshId, service, status } from '../helpers/events.ts';
import { sharedHost } from '../helpers/host.ts';
import { renderDashboard } from '../helpers/original-dashboard.ts';
import { originalSource } from '../helpers/originals.ts';

const host = sharedHost();
const sockets: WebSocket[] = [];
/** Remembers its sockets, so that the test can end them. */
class Remembered extends WebSocket {
  constructor(url: string) {
    super(url);
    sockets.push(this);
  }
}
const undo: (() => void)[] = [];
afterEach(() => {
  for (const one of undo.splice(0)) one();
  for (const socket of sockets.splice(0)) {
    // the example would reconnect otherwise
    socket.onclose = null;
    socket.terminate();
  }
});

/** The globals that the examples expect. Their client ids are always the same, which allows five connections. */
function globalsFor(over: Record<string, unknown> = {}) {
  const logged: unknown[][] = [];
  const note = (...words: unknown[]): void => void logged.push(words);
  const timers: { work: () => void; ms: number }[] = [];
  const globals = {
    WebSocket: Remembered,
    navigator: { userAgent: 'test' },
    console: { log: note, warn: note, error: note },
    setInterval: (work: () => void, ms: number) => void timers.push({ work, ms }),
    setTimeout,
    JSON,
    Date,
    Object,
    ...over,
  };
  return { globals, logged, timers };
}
const run = async (name: string, globals: object): Promise<void> => {
  new Script(await originalSource(name, host.url)).runInNewContext(globals);
};

test('connect.js announces itself and gets broadcasts', async () => {
  const received: Record<string, unknown>[] = [];
  const { globals, logged } = globalsFor({ handleWebSocketMessage: (message: Record<string, unknown>) => void received.push(message) });
  await run('connect.js', globals);
  await host.eventually(
    async () => received.map(({ type }) => type),
    (types) => types.includes('connection_status'),
  );
  const mark = `mark-${freshId()}`;

  await host.publish([alert({ title: mark })]);

  await host.eventually(
    async () => JSON.stringify(received),
    (text) => text.includes(mark),
  );
  expect(logged.filter(([word]) => String(word).includes('오류'))).toEqual([]);
});

test('manager.js passes known messages to its handlers, gets its pong, and logs the rest as unknown', async () => {
  const handled: unknown[] = [];
  const { globals, logged, timers } = globalsFor();
  for (const name of ['handleStatusUpdate', 'handleServiceEvent', 'handleAlert', 'handlePong'])
    (globals as Record<string, unknown>)[name] = (data: unknown) => void handled.push([name, data]);
  // the example leaves its handlers to the user
  const source = (await originalSource('manager.js', host.url)).replace(
    '// 사용 예시',
    `for (const name of ['handleStatusUpdate', 'handleServiceEvent', 'handleAlert', 'handlePong']) WebSocketManager.prototype[name] = globalThis[name];`,
  );
  new Script(source).runInNewContext(globals);
  await host.eventually(
    async () => JSON.stringify(logged),
    (text) => text.includes('connection_status'),
  );
  const mark = `mark-${freshId()}`;
  await host.publish([alert({ title: mark }), service({ message: mark })]);
  for (const { work, ms } of timers) {
    expect(ms).toBe(30_000);
    work();
  }

  for (const name of ['handleStatusUpdate', 'handleAlert', 'handleServiceEvent'])
    await host.eventually(
      async () => {
        // the status of another test may replace it
        if (name === 'handleStatusUpdate') await host.publish([status({ network_status: mark })]);
        return handled;
      },
      (all) => all.some((one) => JSON.stringify(one).includes(mark) && JSON.stringify(one).includes(name)),
    );
  await host.eventually(
    async () => handled,
    (all) => all.some((one) => JSON.stringify(one).includes('handlePong') && JSON.stringify(one).includes('latency_ms')),
  );
});

test('dashboard.jsx, rendered, shows the status, and its button gets a reply', async () => {
  const dashboard = await renderDashboard(host.url, Remembered);
  undo.push(dashboard.close);
  const shown = (text: string) =>
    host.eventually(
      async () => dashboard.text(),
      (all) => all.includes(text),
    );
  await shown('연결됨');

  const cpu = 1 + (freshId() % 9_000) / 100;
  await host.eventually(
    async () => {
      await host.publish([status({ cpu_percent: cpu })]);
      return dashboard.text();
    },
    (all) => all.includes(`CPU: ${cpu}%`),
  );
  const [socket] = sockets;
  const answers: string[] = [];
  socket?.addEventListener('message', ({ data }) => void answers.push(String(data)));
  dashboard.restart();

  await host.eventually(
    async () => answers.join(),
    (text) => text.includes('SERVICE_NOT_FOUND') && text.includes('posco_news'),
  );
  dashboard.unmount();
  await host.eventually(
    async () => socket?.readyState,
    (state) => state === WebSocket.CLOSED,
  );
});
