import { expect, test } from 'vitest';
import { addressOf, channelAt } from '../../../core/channels/address.ts';
import { ANYBODY } from '../../../core/identity.ts';
import { channels } from '../../helpers/ports.ts';

const STREAM = '/api/v1/waiting-queue/subscribe';
const REGISTRATIONS = '/api/push/websocket/waiting-queue/subscriptions';
const query = { userId: '100', concertId: '1' };

test('a path and its parameters name a topic', () => {
  expect(addressOf('stream', STREAM, { query }, ANYBODY, channels)).toMatchObject({
    topic: '/topic/waiting-queue/1/100',
    values: { userId: 100, concertId: 1 },
    channel: { name: 'waiting-queue' },
    http: { stream: STREAM },
  });
  expect(addressOf('registrations', REGISTRATIONS, { body: { userId: 100, concertId: 1 } }, ANYBODY, channels).topic).toBe(
    '/topic/waiting-queue/1/100',
  );
});

test("a topic that is another user's is refused, and so is a caller that is not known", () => {
  const refusal = expect.objectContaining({
    code: 'PERMISSION_DENIED',
    message: '/topic/waiting-queue/1/100 is not yours',
    details: { topic: '/topic/waiting-queue/1/100' },
  });

  for (const principal of [{ userId: '101', roles: ['ops:read'] }, null])
    expect(() => addressOf('stream', STREAM, { query }, principal, channels)).toThrow(refusal);

  expect(addressOf('stream', STREAM, { query }, { userId: '100', roles: [] }, channels).topic).toBe('/topic/waiting-queue/1/100');
});

test('a wrong parameter is reported before the caller is refused', () => {
  expect(() => addressOf('stream', STREAM, { query: { ...query, userId: 'x' } }, null, channels)).toThrow(/^userId: expected/);
});

test('a path belongs to the streams or to the registrations, and not to both', () => {
  expect(channelAt('stream', STREAM, channels).channel.name).toBe('waiting-queue');
  expect(channelAt('registrations', REGISTRATIONS, channels).channel.name).toBe('waiting-queue');
  for (const [kind, path] of [
    ['stream', REGISTRATIONS],
    ['registrations', STREAM],
    ['stream', '/api/nothing'],
  ] as const)
    expect(() => channelAt(kind, path, channels)).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND', message: `there is nothing at ${path}` }),
    );
});

test('an error quotes at most 200 characters of a path', () => {
  expect(() => channelAt('stream', `/${'x'.repeat(500)}`, channels)).toThrow(
    expect.objectContaining({ message: `there is nothing at /${'x'.repeat(199)}` }),
  );
});
