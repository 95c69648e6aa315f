import { beforeEach, expect, test } from 'vitest';
import { connect } from '../../../core/connections/connect.ts';
import { handleMessage } from '../../../core/sessions/handle-message.ts';
import { identityOf } from '../../helpers/identity.ts';
import { type MemoryPorts, memoryPorts } from '../../helpers/ports.ts';
import { frame } from '../../helpers/stomp.ts';

const users: Readonly<Record<string, string>> = { mine: 'me', yours: 'you' };
const identity = identityOf(async (token) => ({ userId: users[token] ?? token, roles: [] }));
let ports: MemoryPorts;
beforeEach(async () => {
  ports = memoryPorts();
  await connect(
    {
      connectionId: 'a',
      connectedAtMs: ports.clock.now(),
      origin: null,
      host: null,
      sourceIp: '',
      protocols: 'v12.stomp',
      authorization: null,
      apiKey: null,
      ticket: null,
    },
    { ...ports, identity, allowedOrigins: '*', maxConnections: 0 },
  );
});
const say = (token: string) =>
  handleMessage(
    {
      connectionId: 'a',
      text: frame('CONNECT', { 'accept-version': '1.2', Authorization: `Bearer ${token}` }),
      receivedAtMs: ports.clock.now(),
      requestId: 'r',
    },
    { ...ports, identity },
  );
const counted = async (userId: string): Promise<string[]> => {
  const look = { connectionId: 'look', connectedAtMs: ports.clock.now() };
  const members = await ports.clients.enter(`user#${userId}`, look, ports.clock.now());
  return members.map(({ connectionId }) => connectionId).filter((name) => name !== 'look');
};

test('a CONNECT with a token counts its connection for the user', async () => {
  await say('mine');

  expect(await counted('me')).toEqual(['a']);
  expect(await ports.connections.read('a')).toMatchObject({ principal: { userId: 'me' }, admitted: true });
});

test('a CONNECT that another one forestalled is counted for nobody, and ends the connection', async () => {
  const { admit } = ports.connections;
  ports.connections.admit = async (connectionId, session) => {
    await admit(connectionId, { dialect: 'stomp-1.2', principal: { userId: 'me', roles: [] } });
    return admit(connectionId, session);
  };

  await say('yours');

  expect(await counted('you')).toEqual([]);
  expect(ports.gateway.closed).toEqual(['a']);
  expect(ports.gateway.posted).toEqual([]);
});

test('a second CONNECT on a connection is an error', async () => {
  await say('mine');
  await say('mine');

  expect(ports.gateway.posted.at(-1)?.frame).toMatch(/^ERROR\nmessage:this connection is connected already\n/);
});
