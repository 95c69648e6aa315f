/** `npm run probe` on the local run, which behaves as we believe the platform does. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Fact } from '../../bin/probe/fact.ts';
import { probe } from '../../bin/probe/run.ts';
import { stackTarget } from '../../bin/stack-target.ts';
import { type OwnRun, runWith } from '../helpers/local.ts';

let own: OwnRun;
beforeAll(async () => {
  // a front door would end a connection without traffic by itself
  own = await runWith({ FRONT_DOOR: 'off', IDLE_TIMEOUT_SECONDS: '1800' });
});
afterAll(() => own.run.stop());

test('sees what is assumed, and that nothing was given up', { timeout: 90_000 }, async () => {
  const { run, url, key } = own;
  const facts: Fact[] = [];
  const probed = {
    api: url,
    socket: `${url.replace('http', 'ws')}/ws`,
    streams: run.streamUrl ?? '',
    key,
    token: null,
    user: '1',
    source: 'market.price',
  };
  const idleClock = {
    now: run.clock.now,
    async wait(ms: number) {
      run.clock.advance(ms);
      await run.settled();
    },
  };
  const target = stackTarget({}, { AWS_PORT: new URL(run.awsUrl).port });
  for await (const fact of probe(probed, { target, idleClock, busySeconds: 2, settleMs: 100 })) facts.push(fact);

  expect(facts.filter(({ agrees }) => agrees === false)).toEqual([]);
  expect(facts.map(({ fact, seen }) => `${fact}: ${seen}`)).toEqual(
    expect.arrayContaining([
      'the subprotocol that $connect returned: is echoed',
      'a binary message: closes with 1003',
      'a frame over 32 KB: closes with 1009',
      'a message over 128 KB, in frames of 32 KB: closes with 1009',
      'the first event of a stream: comes while it is open',
      expect.stringMatching(/^a topic that is busy for 2 s: \d+ events, \d+ deliveries, \d+ hand-ons$/),
      expect.stringMatching(/^after 17 hand-ons and more: not tested: only \d+ hand-ons; --busy makes more$/),
      'an event while the stream is open: arrives before the end',
      expect.stringMatching(/^410 after a connection that broke: after \d+ ms$/),
      'a client without traffic: is closed after 10 minutes',
      'one that is posted to: stays open',
      'one that sends ping frames: is closed after 10 minutes',
    ]),
  );
});
