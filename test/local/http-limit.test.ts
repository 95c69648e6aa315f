/** `HTTP_REQUESTS_PER_SECOND`: a flood on the HTTP API is answered by the platform, and leaves sockets and their deliveries alone. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, ofType } from '../helpers/client.ts';
import { freshTicker, tick } from '../helpers/events.ts';
import { type OwnRun, runWith } from '../helpers/local.ts';

const LIMIT = 20;
let own: OwnRun;
beforeAll(async () => {
  own = await runWith({ HTTP_REQUESTS_PER_SECOND: String(LIMIT) });
});
afterAll(() => own.run.stop());

test('a flood gets 429, a live audience its messages, and a second later requests are served again', async () => {
  const ticker = freshTicker();
  const client = await connect(own.url);
  client.send({ type: 'subscribe', topic: `price:${ticker}` });
  await client.until(ofType('subscribed'));
  await own.publish([tick(ticker, 1)]);
  own.run.clock.advance(1_000);

  const answers = await Promise.all(Array.from({ length: 200 }, () => own.get('/api/kr/stocks/none/realtime-price')));
  const refused = answers.filter(({ status }) => status === 429);
  await client.until(ofType('price_update'));

  expect(refused[0]?.body).toEqual({ message: 'Too Many Requests' });
  expect(answers.length - refused.length).toBeGreaterThanOrEqual(LIMIT);
  // in the time that they took, more were let through
  expect(refused.length).toBeGreaterThan(0);
  own.run.clock.advance(1_000);
  expect((await own.get('/api/health')).status).toBe(200);
  await client.close();
});
