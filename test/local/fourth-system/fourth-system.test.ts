/** A system in one file, tested end to end by URL on a local run: no other file refers to it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Assembly, assemble } from '../../../bin/assemble.ts';
import { readSettings } from '../../../bin/settings.ts';
import { connect, ofType } from '../../helpers/client.ts';
import { type OwnRun, ownRun } from '../../helpers/local.ts';
import { readStream } from '../../helpers/sse.ts';
import { systems } from './orders.ts';

let assembly: Assembly;
let own: OwnRun;
const bundles = mkdtempSync(join(tmpdir(), 'realtime-push-bundles-'));
beforeAll(async () => {
  const settings = readSettings({ APP_PUSH_MODE: 'both', FREE_SHIPPING_FROM: '50' }, systems);
  const systemsModule = fileURLToPath(new URL('./orders.ts', import.meta.url));
  assembly = await assemble({ settings, systems, systemsModule, bundles });
  own = await ownRun({ templateFile: assembly.templateFile });
});
afterAll(async () => {
  await own.run.stop();
  assembly.remove();
  rmSync(bundles, { recursive: true });
});

const counted = (article: string, left: number) => ({ source: 'shop.stock', detailType: 'StockCounted', detail: { article, left } });
const moved = (orderId: string, step: string, total = 60) => ({
  source: 'shop.orders',
  detailType: 'OrderMoved',
  detail: { orderId, userId: 'ann', step, total },
});
const stepsOf = (messages: readonly Record<string, unknown>[]) => messages.map(({ step }) => step);

test('a state topic is delivered, and the route reads its newest message', async () => {
  await own.publish([counted('shoe-42', 3)]);
  const client = await connect(own.url);
  client.send({ type: 'subscribe', topic: 'stock:shoe-42' });
  await client.until(ofType('stock'));
  await own.publish([counted('shoe-42', 2)], 'bus');

  expect(await client.until((message) => message['left'] === 2)).toMatchObject({ type: 'stock', article: 'shoe-42', left: 2 });
  expect((await own.get('/api/stock/shoe-42')).body).toEqual({ article: 'shoe-42', left: 2 });
  expect((await own.get('/api/stock/nothing')).status).toBe(404);
  await client.close();
});

test('a log topic is replayed from a position, and the setting applies', async () => {
  const topic = '/topic/orders/o1/ann';
  const client = await connect(own.url);
  client.send({ type: 'subscribe', topic });
  const { position } = await client.until(ofType('subscribed'));
  await own.publish([moved('o1', 'packed'), moved('o1', 'sent', 20)]);
  await client.until((message) => message['step'] === 'sent');
  await client.close();

  const again = await connect(own.url);
  again.send({ type: 'subscribe', topic, since: position });
  await again.until((message) => message['step'] === 'sent');

  const orders = again.received.filter(({ type }) => type === 'order');
  expect(stepsOf(orders)).toEqual(['packed', 'sent']);
  expect(orders.map(({ free_shipping }) => free_shipping)).toEqual([true, false]);
  await again.close();
});

test('an event stream starts at the registration', async () => {
  expect(await own.post('/api/push/websocket/orders/subscriptions', { orderId: 'o2', userId: 'ann' }, {})).toMatchObject({
    status: 200,
    body: { destination: '/topic/orders/o2/ann' },
  });
  await own.publish([moved('o2', 'packed')]);

  const stream = await readStream(`${own.url}/api/orders/subscribe?orderId=o2&userId=ann`);
  const text = await stream.until((sofar) => sofar.includes('event: orders\ndata: {"type":"order","step":"packed"'));
  await stream.close();
  expect(text).toMatch(/id: \w+-1\nretry: \d+\nevent: orders\n/);
  expect((await own.get('/api/orders/subscribe?orderId=o2')).status).toBe(400);
});

test('a client message puts work in the queue, and the worker publishes its result', async () => {
  const topic = '/topic/orders/o3/ann';
  const client = await connect(own.url);
  client.send({ type: 'subscribe', topic });
  await client.until(ofType('subscribed'));
  client.send({ type: 'ship', data: { orderId: 'o3', userId: 'ann' } });

  expect(await client.until(ofType('order'))).toMatchObject({ step: 'shipped' });
  await client.close();
});

test('the client message is served, the minute job runs, and health reports the system', async () => {
  const client = await connect(own.url);
  client.send({ type: 'greet', data: { name: 'Ann' } });
  expect(await client.until(ofType('greeting'))).toMatchObject({ data: { name: 'Ann' } });
  await client.close();

  expect((await own.get('/api/health')).body).toMatchObject({ shop: 'not looked at', feed: expect.anything() });
  await own.run.invoke('minute');
  expect((await own.get('/api/health')).body).toMatchObject({ shop: 'looked at' });
});
