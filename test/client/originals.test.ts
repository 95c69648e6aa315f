/** The original's examples with only their import changed to the library: the dashboards move over without being rewritten. */

import { Script } from 'node:vm';
import { transform } from 'esbuild';
import { afterEach, expect, test, vi } from 'vitest';
import WebSocket from 'ws';
import { WebSocketManager } from '../../client/index.ts';
import { alert, freshId, service, status } from '../helpers/events.ts';
import { sharedHost } from '../helpers/host.ts';
import { originalSource } from '../helpers/originals.ts';
import { openPage, type RenderedPage } from '../helpers/page.ts';

const host = sharedHost();
const sockets: WebSocket[] = [];
class Remembered extends WebSocket {
  constructor(url: string) {
    super(url);
    sockets.push(this);
  }
}
let page: RenderedPage | null = null;
const managers: WebSocketManager[] = [];
afterEach(() => {
  for (const manager of managers.splice(0)) manager.close();
  page?.close();
  page = null;
  for (const socket of sockets.splice(0)) socket.terminate();
  vi.unstubAllGlobals();
});

/** The rest of an example without one of its classes or functions: its use. */
function useOf(source: string, declaration: string): string {
  const at = source.indexOf(declaration);
  const end = source.indexOf('\n}\n', at);
  if (at < 0 || end < 0) throw new Error(`the example has no ${declaration}`);
  return source.slice(0, at) + source.slice(end + 3);
}

test('manager.js uses the library’s WebSocketManager, with handlers of its own', async () => {
  vi.stubGlobal('WebSocket', Remembered);
  const handled: unknown[] = [];
  class Mine extends WebSocketManager {
    constructor(url: string) {
      super(url);
      managers.push(this);
    }
    override handleStatusUpdate = (data: unknown) => void handled.push(['status', data]);
    override handleServiceEvent = (data: unknown) => void handled.push(['service', data]);
    override handleAlert = (data: unknown) => void handled.push(['alert', data]);
    override handlePong = (data: unknown) => void handled.push(['pong', data]);
  }
  const timers: { work: () => void; ms: number }[] = [];
  const source = useOf(await originalSource('manager.js', host.url), 'class WebSocketManager');
  expect(source).toContain('new WebSocketManager(');
  new Script(source).runInNewContext({
    WebSocketManager: Mine,
    setInterval: (work: () => void, ms: number) => timers.push({ work, ms }),
    Date,
    console,
  });
  const [manager] = managers as [WebSocketManager];
  await host.eventually(
    async () => manager.getMessageHistory(),
    (history) => history.some(({ message }) => (message as { type: string }).type === 'connection_status'),
  );
  for (const { work } of timers) work();
  const mark = `mark-${freshId()}`;
  await host.publish([alert({ title: mark }), service({ message: mark })]);
  await host.eventually(
    async () => {
      // the status of another test may replace it
      await host.publish([status({ network_status: mark })]);
      return JSON.stringify(handled);
    },
    (text) => ['"status"', '"service"', '"alert"', '"pong"'].every((name) => text.includes(name)) && text.split(mark).length > 3,
  );
  expect(manager.getConnectionStatus()).toMatchObject({ state: 'open', connected: true, reconnectAttempts: 0, maxReconnectAttempts: 10 });
});

test('dashboard.jsx uses the library’s useWebSocket, also mounted strictly', async () => {
  page = openPage(host.url, { WebSocket: Remembered });
  const React = await import('react');
  const { createRoot } = await import('react-dom/client');
  const { useWebSocket } = await import('../../client/react.ts');
  const source = `${useOf(await originalSource('dashboard.jsx', host.url), 'function useWebSocket(').replace(/^import .*$/m, '')}\nexport { Dashboard };`;
  const { code } = await transform(source, { loader: 'jsx', format: 'cjs', jsx: 'transform' });
  const module = { exports: {} as { Dashboard: () => null } };
  new Function('module', 'exports', 'React', 'useWebSocket', 'useEffect', 'useState', code)(
    module,
    module.exports,
    React,
    useWebSocket,
    React.useEffect,
    React.useState,
  );
  const root = createRoot(page.place as unknown as Parameters<typeof createRoot>[0]);
  root.render(React.createElement(React.StrictMode, null, React.createElement(module.exports.Dashboard)));
  const shown = (text: string) =>
    host.eventually(
      async () => page?.place.textContent ?? '',
      (all) => all.includes(text),
    );
  await shown('연결됨');
  expect(sockets).toHaveLength(1);
  const cpu = 1 + (freshId() % 9_000) / 100;
  await host.eventually(
    async () => {
      await host.publish([status({ cpu_percent: cpu })]);
      return page?.place.textContent ?? '';
    },
    (all) => all.includes(`CPU: ${cpu}%`),
  );
  const answers: string[] = [];
  sockets[0]?.addEventListener('message', ({ data }) => void answers.push(String(data)));
  page.place.querySelector('button')?.click();
  await host.eventually(
    async () => answers.join(),
    (text) => text.includes('SERVICE_NOT_FOUND') && text.includes('posco_news'),
  );
  root.unmount();
  await host.eventually(
    async () => sockets[0]?.readyState,
    (state) => state === WebSocket.CLOSED,
  );
});

test('WebSocketManager reconnects every 5 s, at most 10 times, announces itself each time and pings every 30 s', () => {
  vi.useFakeTimers();
  const made: { readyState: number; sent: { type: string }[]; onopen?: () => void; onclose?: (event: object) => void }[] = [];
  class Scripted {
    readyState = 0;
    readonly sent: { type: string }[] = [];
    constructor() {
      made.push(this);
    }
    send(text: string): void {
      this.sent.push(JSON.parse(text));
    }
    close(): void {
      this.readyState = 3;
    }
  }
  vi.stubGlobal('WebSocket', Scripted);
  const failed = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const last = () => made.at(-1) as (typeof made)[number];
  const open = () => {
    last().readyState = 1;
    last().onopen?.();
  };
  const drop = () => {
    last().readyState = 3;
    last().onclose?.({ code: 1006 });
  };
  try {
    const manager = new WebSocketManager('ws://localhost:8000/ws');
    expect(manager.send({ type: 'early' })).toBe(false);
    expect(warned).toHaveBeenCalledOnce();
    open();
    expect(last().sent.map(({ type }) => type)).toEqual(['client_info']);
    vi.advanceTimersByTime(30_000);
    expect(last().sent.map(({ type }) => type)).toEqual(['client_info', 'ping']);

    for (let attempt = 1; attempt <= 10; attempt++) {
      drop();
      vi.advanceTimersByTime(4_999);
      expect(made).toHaveLength(attempt);
      vi.advanceTimersByTime(1);
      expect(made).toHaveLength(attempt + 1);
      expect(manager.getConnectionStatus()).toMatchObject({ connected: false, reconnectAttempts: attempt });
    }
    drop();
    vi.advanceTimersByTime(600_000);
    expect(made).toHaveLength(11);
    expect(failed).toHaveBeenCalledOnce();

    manager.connect();
    open();
    expect(manager.getConnectionStatus().reconnectAttempts).toBe(0);
    manager.close();
    vi.advanceTimersByTime(600_000);
    expect(made).toHaveLength(12);
  } finally {
    vi.useRealTimers();
    failed.mockRestore();
    warned.mockRestore();
  }
});
