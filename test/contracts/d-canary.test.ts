/** Canaries: an event of each source that goes the whole way, and concerns nobody but who sent it. */
import { expect, test } from 'vitest';
import { connect, ofType } from '../helpers/client.ts';
import { freshId } from '../helpers/events.ts';
import { sharedHost } from '../helpers/host.ts';

const host = sharedHost();
const SOURCES = ['market.price', 'ticket.waiting-queue', 'ticket.reservation', 'ops.monitor'];
const canary = (source: string, id: unknown) =>
  ({ source, detailType: 'Canary', detail: { id } }) as Parameters<typeof host.publish>[0][number];

test.each(SOURCES)('a canary of %s arrives at its own topic alone', async (source) => {
  const [mine, other] = [`mine-${freshId()}`, `other-${freshId()}`];
  const client = await connect(host.url);
  client.send({ type: 'subscribe', topics: [`canary:${source}:${mine}`] });
  await client.until(ofType('subscribed'));
  await host.publish([canary(source, other), canary(source, mine)], 'bus');

  expect(await client.until(ofType('canary'))).toMatchObject({ source, id: mine });
  expect(client.received.filter(ofType('canary'))).toHaveLength(1);
  await client.close();
});

test.each([
  ['with a blank in its id', 'a b'],
  ['with an id of 65 characters', 'x'.repeat(65)],
  ['with a number as its id', 3],
])('a canary %s is rejected', async (_, id) => {
  const { status, body } = await host.post('/internal/events', { events: [canary('market.price', id)] });
  expect(status).toBe(202);
  expect(body).toMatchObject({ accepted: 0, rejected: [{ index: 0, error_code: 'INVALID_MESSAGE_FORMAT' }] });
});

test('a canary of a source that there is not has no topic', async () => {
  const client = await connect(host.url);
  client.send({ type: 'subscribe', topic: 'canary:no.source:1' });
  const { data } = await client.until(ofType('error'));
  expect(data).toMatchObject({ error_code: 'INVALID_MESSAGE_FORMAT' });
  await client.close();
});
