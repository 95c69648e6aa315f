/** `npm run publish`: one's own events from a shell. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { freshId } from '../helpers/events.ts';
import { sharedHost } from '../helpers/host.ts';
import { connected, frame } from '../helpers/stomp.ts';

const host = sharedHost();
const publish = (...words: string[]) =>
  promisify(execFile)(process.execPath, [
    '--import',
    'tsx',
    'bin/publish.ts',
    ...words,
    '--url',
    host.url,
    '--key',
    inject('publishKey'),
    '--lane',
    'direct',
  ]);

test('a rank, an activation and a reservation reach their buyer', async () => {
  const [userId, concertId, seatId] = [freshId(), freshId(), freshId()];
  const client = await connected(host.url);
  client.send(frame('SUBSCRIBE', { id: 'a', destination: `/topic/waiting-queue/${concertId}/${userId}`, receipt: 'a' }));
  await client.expect('RECEIPT');
  client.send(frame('SUBSCRIBE', { id: 'b', destination: `/topic/reservations/${seatId}/${userId}`, receipt: 'b' }));
  await client.expect('RECEIPT');

  await publish('rank', String(userId), String(concertId), '5');
  expect(JSON.parse((await client.expect('MESSAGE')).body)).toMatchObject({ event: 'RANK_UPDATE', data: { rank: 5 } });
  await publish('activate', String(userId), String(concertId), '60');
  expect(JSON.parse((await client.expect('MESSAGE')).body)).toMatchObject({ event: 'ACTIVE', data: { activeTtlSeconds: 60 } });
  await publish('reservation', String(userId), String(seatId), 'FAIL');
  expect(JSON.parse((await client.expect('MESSAGE')).body)).toMatchObject({ event: 'RESERVATION_STATUS', status: 'FAIL' });
  client.close();
});

test.each([
  [['rank', '100', '1'], 'USER, CONCERT, RANK'],
  [['rank', '100', '1', 'x'], 'RANK'],
  [['reservation', '100', '55', 'MAYBE'], 'SUCCESS or FAIL'],
  [['parking', '1'], 'there is no event'],
])('%j is refused with what was expected', async (words, expected) => {
  await expect(publish(...words)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(expected) as string });
});
