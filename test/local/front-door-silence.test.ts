/** A front door ends a connection to which nothing was sent for ten minutes, whatever its client sends: so something is. */
import { afterEach, expect, test } from 'vitest';
import { freshId } from '../helpers/events.ts';
import { type OwnRun, ownRun, runWith } from '../helpers/local.ts';
import { frame, type RawStomp, rawStomp } from '../helpers/stomp.ts';

let own: OwnRun;
afterEach(() => own.run.stop());

/** A buyer who waits for the result of a reservation, and beats. */
async function waiting(): Promise<RawStomp> {
  const client = await rawStomp(own.url);
  client.send(frame('CONNECT', { 'accept-version': '1.2', 'heart-beat': '240000,0' }));
  await client.expect('CONNECTED');
  client.send(frame('SUBSCRIBE', { id: 'a', destination: `/topic/reservations/55/${freshId()}`, receipt: 'r' }));
  await client.expect('RECEIPT');
  return client;
}
/** Half an hour passes, in which the client beats every four minutes. */
async function halfAnHour(client: RawStomp): Promise<void> {
  for (let minute = 0; minute < 30; minute++) {
    if (minute % 4 === 0 && client.socket.readyState === client.socket.OPEN) client.send('\n');
    own.run.clock.advance(60_000);
    await own.run.settled();
  }
}

test('a STOMP client that only beats is sent heart-beats, and stays', async () => {
  own = await ownRun();
  const client = await waiting();
  await halfAnHour(client);

  expect(client.texts.filter((text) => text === '\n').length).toBeGreaterThanOrEqual(5);
  client.send(frame('SUBSCRIBE', { id: 'b', destination: '/topic/waiting-queue/1/1', receipt: 'r2' }));
  await client.expect('RECEIPT');
  client.close();
});

test('without them it is ended, as CloudFront would', async () => {
  own = await ownRun();
  const client = await waiting();
  own.run.levers.concurrency.functions.set('fan-out', 0);
  // the jobs stay: nothing settles
  for (let minute = 0; minute < 12; minute++) {
    client.send('\n');
    own.run.clock.advance(60_000);
  }

  await client.closed();
});

test('without a front door none are sent: what the client sends keeps the gateway from ending it', async () => {
  own = await runWith({ FRONT_DOOR: 'off' });
  const client = await waiting();
  await halfAnHour(client);

  expect(client.texts).not.toContain('\n');
  expect(client.socket.readyState).toBe(client.socket.OPEN);
  client.close();
});
