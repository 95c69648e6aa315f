/** Accepted events are not lost when `npm start` ends: on Ctrl-C they are delivered, and with DATA_DIR they outlive a kill. */
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { afterEach, describe, expect, test } from 'vitest';
import { connect, ofType } from '../helpers/client.ts';
import { alert } from '../helpers/events.ts';
import { hostAt } from '../helpers/host.ts';
import { dataFolder, type Started, start, stopAll } from '../helpers/start.ts';

afterEach(stopAll);

const WAYS = ['bus', 'direct', 'PutEvents'] as const;
type Way = (typeof WAYS)[number];

/** Publishes one alert. Resolves to whether it was accepted. */
function publisher(url: string, way: Way, local: Started): (title: string) => Promise<boolean> {
  if (way !== 'PutEvents') {
    const host = hostAt(url, 'local-key');
    return async (title) => (await host.post('/internal/events', { events: [alert({ title })], lane: way })).status === 202;
  }
  const [, endpoint = '', EventBusName] = /AWS_ENDPOINT_URL=(\S+) .* event bus (\S+)/.exec(local.output()) ?? [];
  const client = new EventBridgeClient({
    endpoint,
    region: 'local',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });
  return async (title) => {
    const { source, detailType, detail } = alert({ title });
    const entry = { EventBusName, Source: source, DetailType: detailType, Detail: JSON.stringify(detail) };
    return (await client.send(new PutEventsCommand({ Entries: [entry] }))).FailedEntryCount === 0;
  };
}

/** Publishes alerts in all ways at once until the run is gone; calls back when enough are accepted in each. Returns the titles of those. */
async function publishUntilGone(url: string, local: Started, enough: number, then: () => void): Promise<string[]> {
  const accepted: string[] = [];
  const count = (way: Way): number => accepted.filter((title) => title.startsWith(way)).length;
  let called = false;
  const one = async (way: Way, number: number): Promise<void> => {
    const publish = publisher(url, way, local);
    for (let index = 0; ; index++) {
      const title = `${way}.${number}.${index}`;
      // the run may end before it answers
      if (!(await publish(title).catch(() => false))) return;
      accepted.push(title);
      if (!called && WAYS.every((each) => count(each) >= enough)) {
        called = true;
        then();
      }
    }
  };
  await Promise.all(WAYS.flatMap((way) => [one(way, 1), one(way, 2)]));
  expect(called, `enough accepted: ${accepted.join()}`).toBe(true);
  return accepted;
}

const titlesOf = (messages: readonly Record<string, unknown>[]): string[] =>
  messages.filter(ofType('alert')).map(({ data }) => String((data as { title: string }).title));

describe('an event that was accepted, in any way', { timeout: 120_000 }, () => {
  test('is delivered before the end, if the run is told to end while somebody publishes', async () => {
    const local = start({});
    const url = await local.ready();
    const client = await connect(url);
    client.send({ type: 'subscribe', data: { event_types: ['alert'] } });
    await client.until(ofType('subscribed'));

    const accepted = await publishUntilGone(url, local, 10, () => local.end('SIGTERM'));

    expect(await local.exited()).toBe(0);
    await client.closed();
    const delivered = new Set(titlesOf(client.received));
    expect(accepted.filter((title) => !delivered.has(title))).toEqual([]);
  });

  test('outlives a kill, with DATA_DIR', async () => {
    const dataDir = dataFolder();
    const local = start({ DATA_DIR: dataDir });
    const accepted = await publishUntilGone(await local.ready(), local, 10, () => local.end('SIGKILL'));
    await local.exited();

    const again = start({ DATA_DIR: dataDir });
    const url = await again.ready();
    const client = await connect(url);
    client.send({ type: 'subscribe', data: { event_types: ['alert'] }, since: 'x-0' });

    const missing = new Set(accepted);
    while (missing.size > 0) missing.delete(String(((await client.until(ofType('alert')))['data'] as { title: string }).title));
    await client.close();
    again.end('SIGINT');
    await again.exited();
  });
});
