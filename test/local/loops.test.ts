/** A function that fills the queue that invokes it: the platform stops it after 16 rounds, unless its template allows it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { localClock } from '../../local/base/clock.ts';
import { mapQueue } from '../../local/resources/event-source-mapping.ts';
import type { LocalFunction } from '../../local/resources/function.ts';
import { type LocalQueue, localQueue } from '../../local/resources/queue.ts';
import { connect } from '../helpers/client.ts';
import { tick } from '../helpers/events.ts';
import { deadLettersOf, type OwnRun, runWith } from '../helpers/local.ts';

describe('the local platform', () => {
  const clock = localClock();
  afterAll(() => clock.stop());

  /** A queue whose function sends each message back to it, until it has had 30. Returns how many it had. */
  async function rounds(mayLoop: boolean): Promise<{ readonly had: number; readonly dead: number }> {
    const make = (name: string, dead: LocalQueue | null): LocalQueue =>
      localQueue({ name, file: null, visibilitySeconds: 30, maxReceives: 9, dead: () => dead, clock, warn: () => undefined });
    const dead = make('dead', null);
    const queue = make('queue', dead);
    let had = 0;
    const fn = {
      name: 'echo',
      mayLoop,
      async invoke(_: unknown, trace: string) {
        if (++had < 30) queue.send('again', { trace });
      },
    } as unknown as LocalFunction;
    mapQueue({ queue, fn, batchSize: 10, maximumConcurrency: 2, reportsItemFailures: true, queueArn: 'arn', warn: () => undefined });
    queue.send('first');
    while (queue.size() > 0) await new Promise((done) => setImmediate(done));
    return { had, dead: dead.size() };
  }

  test('stops it after 16 rounds: the next message goes to the dead letters', async () => {
    expect(await rounds(false)).toEqual({ had: 16, dead: 1 });
  });

  test('lets it go on if its template allows it', async () => {
    expect(await rounds(true)).toEqual({ had: 30, dead: 0 });
  });
});

describe('a consumer that is throttled for more than a quarter of an hour', () => {
  let own: OwnRun;
  beforeAll(async () => {
    // a front door would end a connection to which nothing is sent for that long
    own = await runWith({ FRONT_DOOR: 'off' });
  });
  afterAll(() => own.run.stop());

  test('is come back for more than 16 times in a row, and gets the newest in the end', async () => {
    const client = await connect(own.url);
    await client.next();
    client.send({ type: 'subscribe', topic: 'price:005930' });
    await client.until(({ type }) => type === 'subscribed');
    own.run.levers.throttlePosts = 1;
    await own.publish([tick('005930', 1000)]);
    const passedOver = () => own.logs.filter((line) => line.includes('a consumer is slow')).length;

    for (let minutes = 0; minutes < 24; minutes++) {
      await own.run.settled();
      client.send({ type: 'pong' });
      own.run.clock.advance(62_000);
    }
    await own.run.settled();
    expect(passedOver()).toBeGreaterThan(16);
    own.run.levers.throttlePosts = 0;
    own.run.clock.advance(62_000);

    await client.until(({ data }) => (data as { price?: number } | undefined)?.price === 1000, 'the newest price');
    expect(deadLettersOf(own.run)).toEqual([]);
    await client.close();
  });
});
