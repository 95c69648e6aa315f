/** The React hooks: nothing is opened twice, nothing is lost, and a server can render them. */
import { afterEach, expect, test } from 'vitest';
import { openPage, type RenderedPage } from '../helpers/page.ts';
import type { FakeSocket } from './world.ts';
import { world } from './world.ts';

let page: RenderedPage | null = null;
afterEach(() => {
  page?.close();
  page = null;
});

/** Timers of React and of the stores are real ones here. */
const turn = (): Promise<void> => new Promise((done) => setTimeout(done, 5));

async function rendered(given = world()) {
  page = openPage('http://localhost:8000');
  const React = await import('react');
  const { createRoot } = await import('react-dom/client');
  const { Provider, useLatest, useLog, useStatus } = await import('../../client/react.ts');
  const { createElement, StrictMode } = React;
  const topic = given.topic('price:005930', 'state');
  given.topic('log');
  let renders = 0;
  const Board = ({ n }: { n: number }) => {
    renders++;
    const quote = useLatest('price:005930');
    const log = useLog('log', { last: 50, keep: 3 });
    return createElement('p', null, `${useStatus()} ${quote?.data.price} [${log.map((message) => String(message['n'])).join()}] ${n}`);
  };
  const root = createRoot(page.place as unknown as Parameters<typeof createRoot>[0]);
  const render = (n: number) =>
    root.render(createElement(StrictMode, null, createElement(Provider, { client: given.client }, createElement(Board, { n }))));
  const shown = async (): Promise<string> => {
    for (let time = 0; time < 8; time++) {
      await turn();
      await given.pass(100);
    }
    await turn();
    return page?.place.textContent ?? '';
  };
  return { world: given, topic, root, render, shown, renders: () => renders };
}

test('a strict mount opens one socket and subscribes once; unmounting closes it (38)', async () => {
  const here = await rendered();
  here.world.publish('price:005930', { type: 'price_update', ticker: '005930', data: { price: 7 } });
  here.render(1);
  expect(await here.shown()).toContain('live 7 [] 1');
  expect(here.world.sockets).toHaveLength(1);
  const subscribes = (here.world.sockets[0] as FakeSocket).sent.filter(({ type }) => type === 'subscribe');
  expect(subscribes.flatMap(({ topics }) => topics)).toEqual(['price:005930', 'log']);
  here.root.unmount();
  await here.shown();
  expect([here.world.client.status, here.world.open.length]).toEqual(['closed', 0]);
});

test('fifty renders, each with a new options object, ask for nothing anew (39)', async () => {
  const here = await rendered();
  for (let n = 0; n < 50; n++) {
    here.render(n);
    await turn();
  }
  await here.shown();
  expect((here.world.sockets[0] as FakeSocket).sent.filter(({ type }) => type === 'subscribe').length).toBeLessThanOrEqual(2);
  expect(here.world.sockets).toHaveLength(1);
  here.root.unmount();
  await here.shown();
});

test('a log shows the newest few, and a burst is one render (37, 40)', async () => {
  const here = await rendered();
  here.render(1);
  await here.shown();
  const before = here.renders();
  for (let n = 1; n <= 500; n++) here.world.publish('log', { type: 'x', n });
  expect(await here.shown()).toContain('[498,499,500]');
  expect(here.renders() - before).toBeLessThan(30);
  here.root.unmount();
  await here.shown();
});

test('a server renders it without a connection', async () => {
  const { createElement } = await import('react');
  const { renderToString } = await import('react-dom/server');
  const { Provider, useLatest, useLog, useStatus, useWebSocket } = await import('../../client/react.ts');
  const given = world();
  const Board = () => {
    const { isConnected } = useWebSocket('ws://localhost:8000/ws');
    return createElement('p', null, `${useStatus()} ${String(useLatest('price:005930'))} ${useLog('ops:alert').length} ${isConnected}`);
  };
  expect(renderToString(createElement(Provider, { client: given.client }, createElement(Board)))).toBe('<p>idle undefined 0 false</p>');
  expect(given.sockets).toHaveLength(0);
});

test('a hook without a Provider says what is missing', async () => {
  const { createElement } = await import('react');
  const { renderToString } = await import('react-dom/server');
  const { useStatus } = await import('../../client/react.ts');
  const Lost = () => createElement('p', null, useStatus());
  expect(() => renderToString(createElement(Lost))).toThrow('<Provider client={…}>');
});
