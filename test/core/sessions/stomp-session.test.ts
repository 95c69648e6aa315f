/** STOMP sessions: which protocol a client gets, and frames that overtake others. */
import { beforeEach, expect, test } from 'vitest';
import { connect } from '../../../core/connections/connect.ts';
import { greetLater } from '../../../core/connections/greeting.ts';
import { AFTER_JSON } from '../../../core/protocol/stomp.ts';
import { handleMessage } from '../../../core/sessions/handle-message.ts';
import { type MemoryPorts, memoryPorts } from '../../helpers/ports.ts';
import { frame } from '../../helpers/stomp.ts';

let ports: MemoryPorts;
beforeEach(() => {
  ports = memoryPorts();
});
const open = (connectionId: string, protocols: string | null) =>
  connect(
    {
      connectionId,
      connectedAtMs: ports.clock.now(),
      origin: null,
      host: null,
      sourceIp: '',
      protocols,
      authorization: null,
      apiKey: null,
      ticket: null,
    },
    { ...ports, allowedOrigins: '*', maxConnections: 0 },
  );
const send = (connectionId: string, text: string) =>
  handleMessage({ connectionId, text, receivedAtMs: ports.clock.now(), requestId: 'r' }, ports);
const commands = (): string[] => ports.gateway.posted.map(({ frame: text }) => text.replace(AFTER_JSON, '').split('\n')[0] ?? '');
const CONNECT = frame('CONNECT', { 'accept-version': '1.2' });

test('a client whose first frame is STOMP is never greeted in JSON, subprotocol or not', async () => {
  for (const protocols of ['v12.stomp', null]) {
    await open('a', protocols);
    await send('a', CONNECT);
    for (const { job } of ports.jobs.jobs.splice(0)) if (job.kind === 'greet') await greetLater(job, ports);
  }

  expect(commands()).toEqual(['CONNECTED', 'CONNECTED']);
});

test('the first frame without subprotocol, and no other, ends the half frame of a greeting that may have come before', async () => {
  await open('named', 'v12.stomp');
  await open('bare', null);
  await open('refused', null);
  const heartBeat = '\n';
  await send('named', CONNECT);
  await send('bare', CONNECT);
  await send('bare', heartBeat);
  await send('bare', frame('SUBSCRIBE', { id: 's', destination: '/topic/waiting-queue/1/1', receipt: 'r' }));
  await send('refused', frame('SEND', { destination: '/topic/waiting-queue/1/1' }));

  const textsOf = (connectionId: string) => ports.gateway.posted.filter((one) => one.connectionId === connectionId).map((one) => one.frame);
  expect(textsOf('named')).toEqual([expect.stringMatching(/^CONNECTED\n/)]);
  expect(textsOf('bare')).toEqual([expect.stringMatching(/^\n\n\0CONNECTED\n/), expect.stringMatching(/^RECEIPT\n/)]);
  expect(textsOf('refused')).toEqual([expect.stringMatching(/^\n\n\0ERROR\n/)]);
});

test('a frame that overtakes the CONNECT waits for it', async () => {
  await open('a', 'v12.stomp');
  const { sleep } = ports.clock;
  let sleeps = 0;
  ports.clock.sleep = async (ms) => {
    if (++sleeps === 3) await send('a', CONNECT);
    await sleep(ms);
  };

  await send('a', frame('SUBSCRIBE', { id: 's', destination: '/topic/waiting-queue/1/1', receipt: 'r' }));

  expect(commands()).toEqual(['CONNECTED', 'RECEIPT']);
});

test('a SUBSCRIBE that overtakes the UNSUBSCRIBE of its id waits for the id', async () => {
  await open('a', 'v12.stomp');
  await send('a', `${CONNECT}${frame('SUBSCRIBE', { id: 's', destination: '/topic/waiting-queue/1/1', receipt: 'r1' })}`);
  const { sleep } = ports.clock;
  let sleeps = 0;
  ports.clock.sleep = async (ms) => {
    if (++sleeps === 2) await send('a', frame('UNSUBSCRIBE', { id: 's', receipt: 'r2' }));
    await sleep(ms);
  };

  await send('a', frame('SUBSCRIBE', { id: 's', destination: '/topic/waiting-queue/2/1', receipt: 'r3' }));

  expect(commands()).toEqual(['CONNECTED', 'RECEIPT', 'RECEIPT', 'RECEIPT']);
  expect(await ports.ownSubscriptions.list('a')).toMatchObject([{ topic: '/topic/waiting-queue/2/1', subscriptionId: 's' }]);
});

test('an ERROR is written in the version that the frames before it agreed on', async () => {
  await open('a', 'v12.stomp');
  await send('a', `${frame('CONNECT', { 'accept-version': '1.0' })}${frame('SUBSCRIBE', { id: 's', destination: 'price:nope' })}`);

  expect(ports.gateway.posted.at(-1)?.frame).toContain('\nmessage:no channel has the destination price:nope');
});

test('a client that has sent something is not greeted while its function may still be starting', async () => {
  await open('a', null);
  ports.gateway.active.set('a', ports.clock.now() + 30);
  const doJobs = async (): Promise<void> => {
    for (const { job } of ports.jobs.jobs.splice(0)) if (job.kind === 'greet') await greetLater(job, ports);
  };

  await doJobs();
  await send('a', CONNECT);
  await doJobs();

  expect(commands()).toEqual(['CONNECTED']);
});

test('a client that has sent nothing is greeted after 250 ms', async () => {
  await open('a', null);
  ports.gateway.active.set('a', ports.clock.now());
  const began = ports.clock.now();

  for (const { job } of ports.jobs.jobs.splice(0)) if (job.kind === 'greet') await greetLater(job, ports);

  expect(JSON.parse(ports.gateway.posted[0]?.frame ?? '')).toMatchObject({ type: 'connected' });
  expect(ports.clock.now() - began).toBe(250);
});
