/** The platform ends every connection after two hours: the library's next one is there before, on the run's own clock. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import { createClient, type SocketClass } from '../../client/index.ts';
import { freshId, settled } from '../helpers/events.ts';
import { type OwnRun, ownRun } from '../helpers/local.ts';

let own: OwnRun;
beforeAll(async () => {
  own = await ownRun();
});
afterAll(() => own.run.stop());

test('a log is followed past two hours: nothing is missed or doubled, and a socket is always open', async () => {
  const sockets: WebSocket[] = [];
  class Remembered extends WebSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols);
      sockets.push(this);
    }
  }
  const { clock } = own.run;
  const client = createClient({
    url: own.url,
    // timers follow the run's clock; the clocks that are looked at do not: hours that pass at once would look like sleep
    env: { WebSocket: Remembered as unknown as SocketClass, after: clock.after, random: () => 0.5 },
  });
  const statuses: string[] = [];
  client.on('status', (status) => statuses.push(status));
  const [seatId, userId] = [freshId(), freshId()];
  const got: string[] = [];
  client.follow(`/topic/reservations/${seatId}/${userId}`, ({ timestamp }) => void got.push(timestamp), {
    onGap: (gap) => expect.fail(JSON.stringify(gap)),
  });
  client.start();
  await own.eventually(
    async () => client.status,
    (status) => status === 'live',
  );

  const sent: string[] = [];
  for (let minute = 0; minute < 125; minute++) {
    clock.advance(60_000);
    await own.run.settled();
    expect(
      sockets.some(({ readyState }) => readyState === WebSocket.OPEN),
      `minute ${minute}`,
    ).toBe(true);
    if (minute % 5 > 0) continue;
    const timestamp = new Date(Date.UTC(2026, 1, 19) + minute * 60_000).toISOString();
    sent.push(timestamp);
    await own.publish([settled(seatId, userId, 'SUCCESS', { timestamp })]);
    await own.eventually(
      async () => got.length,
      (length) => length === sent.length,
    );
  }
  expect(got).toEqual(sent);
  expect(statuses).toEqual(['connecting', 'live']);
  // at 105 minutes each
  expect(sockets.length).toBe(2);
  client.close();
  expect(sockets.filter(({ readyState }) => readyState === WebSocket.OPEN)).toEqual([]);
});
