import { beforeEach, expect, test } from 'vitest';
import { type MemoryPorts, memoryPorts, posted, senderOf } from '../../helpers/ports.ts';

let ports: MemoryPorts;
beforeEach(() => {
  ports = memoryPorts();
});
const ANNOUNCE = { type: 'client_info', data: { client_id: 'me' } };
/** The connections that are counted for what was announced. */
const counted = async (clientId: string): Promise<string[]> => {
  const look = { connectionId: 'look', connectedAtMs: ports.clock.now() };
  const members = await ports.clients.enter(`address##${clientId}`, look, ports.clock.now());
  return members.map(({ connectionId }) => connectionId).filter((name) => name !== 'look');
};

test('a connection that is gone when its announcement is stored is not counted', async () => {
  const say = await senderOf(ports, 'a');
  const { announce } = ports.announcements;
  ports.announcements.announce = async (...parameters) => {
    await ports.connections.close('a');
    return announce(...parameters);
  };

  await say(ANNOUNCE);

  expect(await counted('me')).toEqual([]);
  expect(posted(ports, 'a').map(({ type }) => type)).toEqual(['connected']);
  expect(await ports.ownSubscriptions.list('a')).toEqual([]);
});

test('a connection that another request announced meanwhile is not counted under the second id', async () => {
  const say = await senderOf(ports, 'a');
  const { announce } = ports.announcements;
  ports.announcements.announce = async (connectionId, announcement, ...others) => {
    await announce(connectionId, { ...announcement, clientId: 'first' }, ...others);
    return announce(connectionId, announcement, ...others);
  };

  await say(ANNOUNCE);

  expect(await counted('me')).toEqual([]);
  expect(posted(ports, 'a').map(({ type }) => type)).toContain('connection_status');
});

test('an announcement that is stored stays counted', async () => {
  await (await senderOf(ports, 'a'))(ANNOUNCE);

  expect(await counted('me')).toEqual(['a']);
});

test('an outage is reported to the client with the request id, and without its cause', async () => {
  const say = await senderOf(ports, 'a');
  ports.announcements.announce = () => Promise.reject(new Error('no table'));

  await say(ANNOUNCE);

  expect(posted(ports, 'a').at(-1)).toMatchObject({
    type: 'error',
    data: { error_code: 'INTERNAL_SERVER_ERROR', details: { request_id: 'request' } },
  });
});
