/** What a WebSocket does, seen by a client. */
import { randomUUID } from 'node:crypto';
import { connect } from 'node:tls';
import { canaryTopic } from '../../core/channels/canary.ts';
import { compared, type Fact, measured, type ProbeOptions } from './fact.ts';
import { open, openStomp } from './socket.ts';

/** A reply to nothing would come within this time. */
const QUIET_MS = 2_000;
const ANSWERS = 20;

export async function* aboutSockets(options: ProbeOptions, source: string): AsyncGenerator<Fact> {
  const offered = await open(options, ['v12.stomp', 'v11.stomp', 'v10.stomp']);
  yield compared(
    'the subprotocol that $connect returned',
    'is echoed',
    offered.ws.protocol === 'v12.stomp' ? 'is echoed' : `got ${JSON.stringify(offered.ws.protocol)}`,
  );
  offered.ws.terminate();
  const unknown = await open(options, ['x-unknown']).then(
    ({ ws }) => `${JSON.stringify(ws.protocol)} is echoed`,
    (error: Error) => (error.message.includes('subprotocol') ? 'none is echoed' : error.message),
  );
  yield compared('a subprotocol that nobody knows', 'none is echoed', unknown);

  const stomp = await openStomp(options);
  const ponged = new Promise<string>((resolve) => stomp.ws.once('pong', () => resolve('are answered')));
  stomp.ws.ping();
  yield compared('ping frames of a client', 'are answered', await Promise.race([ponged, after(QUIET_MS, 'are not answered')]));
  const before = stomp.texts.length;
  stomp.ws.send('\n');
  await after(QUIET_MS, '');
  yield compared(
    'a line feed',
    'gets no reply',
    stomp.texts.length === before ? 'gets no reply' : `gets ${JSON.stringify(stomp.texts.at(-1))}`,
  );
  stomp.ws.terminate();

  for (const [what, frame, code] of [
    ['a binary message', Buffer.from([1]), 1003],
    ['a message over 128 KB', 'x'.repeat(130 * 1024), 1009],
  ] as const) {
    const client = await open(options);
    client.ws.send(frame);
    yield compared(what, `closes with ${code}`, `closes with ${await client.closed()}`);
    client.ws.terminate();
  }
  yield await answersInOrder(options, source);
  if (options.socket.startsWith('wss:')) yield await negotiated(new URL(options.socket));
}

const after = <Value>(ms: number, value: Value): Promise<Value> => new Promise((resolve) => setTimeout(resolve, ms, value));

/** Messages sent at once. The platform promises no order, and this project does not need one. */
async function answersInOrder(options: ProbeOptions, source: string): Promise<Fact> {
  const client = await open(options);
  const topics = Array.from({ length: ANSWERS }, () => canaryTopic(source, randomUUID()));
  for (const topic of topics) client.ws.send(JSON.stringify({ type: 'subscribe', topic }));
  for (const topic of topics) await client.until(`"subscribed","topic":"${topic}"`);
  const order = client.texts.flatMap((text) => topics.indexOf((JSON.parse(text) as { topic?: string }).topic ?? ''));
  const answers = order.filter((index) => index >= 0);
  client.ws.terminate();
  const late = answers.filter((index, place) => answers.slice(0, place).some((earlier) => earlier > index)).length;
  return measured(
    'messages sent at once are answered',
    'in any order',
    `${answers.length} of ${ANSWERS} answered, ${late} behind a later one`,
  );
}

function negotiated({ hostname, port }: URL): Promise<Fact> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port || 443), servername: hostname, ALPNProtocols: ['h2', 'http/1.1'] });
    socket.once('secureConnect', () => {
      resolve(
        measured(
          'HTTP versions at the WebSocket host',
          'HTTP/2 may be chosen if it is offered',
          String(socket.alpnProtocol || 'none was agreed on'),
        ),
      );
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
