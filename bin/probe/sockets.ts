/** Probes of a WebSocket, as a client sees it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'node:tls';
import type { WebSocket } from 'ws';
import { canaryTopic } from '../../core/channels/canary.ts';
import { ANSWER_MS, compared, type Fact, measured, type Probed, withClient, withStomp } from './fact.ts';

/** A reply would come within this time. */
const QUIET_MS = 2_000;
const MESSAGES = 20;

export async function* probeSockets(probed: Probed): AsyncGenerator<Fact> {
  yield await echoed(probed);
  yield await unknownProtocol(probed);
  yield* pingAndLineFeed(probed);
  yield await closes('a binary message', 1003, (socket) => socket.send(Buffer.from([1])), probed);
  yield await closes('a frame over 32 KB', 1009, (socket) => socket.send('x'.repeat(FRAME + 1)), probed);
  yield await closes('a message over 128 KB, in frames of 32 KB', 1009, sendInFrames, probed);
  yield await answersInOrder(probed);
  if (probed.socket.startsWith('wss:')) yield await negotiated(new URL(probed.socket));
}

const FRAME = 32 * 1024;

function sendInFrames(socket: WebSocket): void {
  for (let frame = 1; frame <= 5; frame++) socket.send('x'.repeat(FRAME), { fin: frame === 5 });
}

const echoed = (probed: Probed): Promise<Fact> =>
  withClient(probed, ['v12.stomp', 'v11.stomp', 'v10.stomp'], async ({ socket: { protocol } }) =>
    compared(
      'the subprotocol that $connect returned',
      'is echoed',
      protocol === 'v12.stomp' ? 'is echoed' : `got ${JSON.stringify(protocol)}`,
    ),
  );

async function unknownProtocol(probed: Probed): Promise<Fact> {
  const seen = await withClient(probed, ['x-unknown'], async ({ socket: { protocol } }) => `${JSON.stringify(protocol)} is echoed`).catch(
    ({ message }: Error) => (message.includes('sent no subprotocol') ? 'none is echoed' : message),
  );
  return compared('a subprotocol that nobody knows', 'none is echoed', seen);
}

async function* pingAndLineFeed(probed: Probed): AsyncGenerator<Fact> {
  yield* await withStomp(probed, async ({ socket, texts }) => {
    const ponged = new Promise<string>((resolve) => void socket.once('pong', () => resolve('are answered')));
    socket.ping();
    const answer = await Promise.race([ponged, pause(QUIET_MS, 'are not answered')]);
    const before = texts.length;
    socket.send('\n');
    await pause(QUIET_MS);
    const reply = texts.length === before ? 'gets no reply' : `gets ${JSON.stringify(texts.at(-1))}`;
    return [compared('ping frames of a client', 'are answered', answer), compared('a line feed', 'gets no reply', reply)];
  });
}

const closes = (what: string, code: number, send: (socket: WebSocket) => void, probed: Probed): Promise<Fact> =>
  withClient(probed, [], async ({ socket, closed }) => {
    send(socket);
    const seen = await closed(ANSWER_MS);
    return compared(what, `closes with ${code}`, seen === null ? 'does not close' : `closes with ${seen}`);
  });

/** The platform promises no order for messages that are sent at once, and this project needs none. */
const answersInOrder = (probed: Probed): Promise<Fact> =>
  withClient(probed, [], async ({ socket, texts, until }) => {
    const topics = Array.from({ length: MESSAGES }, () => canaryTopic(probed.source, randomUUID()));
    for (const topic of topics) socket.send(JSON.stringify({ type: 'subscribe', topic }));
    for (const topic of topics) await until((text) => text.includes('"subscribed"') && text.includes(topic), ANSWER_MS);
    const order = texts.flatMap((text) => topics.findIndex((topic) => text.includes('"subscribed"') && text.includes(topic)));
    const answers = order.filter((index) => index >= 0);
    const late = answers.filter((index, place) => answers.slice(0, place).some((earlier) => earlier > index)).length;
    return measured(
      'messages sent at once are answered',
      'in any order',
      `${answers.length} of ${MESSAGES} answered, ${late} behind a later one`,
    );
  });

function negotiated({ hostname, port }: URL): Promise<Fact> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port || 443), servername: hostname, ALPNProtocols: ['h2', 'http/1.1'] });
    socket.once('secureConnect', () => {
      const seen = String(socket.alpnProtocol || 'none was agreed on');
      resolve(measured('HTTP versions at the WebSocket host', 'HTTP/2 may be chosen if it is offered', seen));
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
