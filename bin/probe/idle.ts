/** What keeps a WebSocket open: four clients, each with one kind of traffic. It takes twelve minutes. */
import { randomUUID } from 'node:crypto';
import { CANARY, canaryTopic } from '../../core/channels/canary.ts';
import { compared, type Fact, measured, type ProbeOptions, publishOne } from './fact.ts';
import { openStomp } from './socket.ts';

const MINUTE = 60_000;
const MINUTES = 12;
const EVERY_MINUTES = 4;
/** A close may be some seconds late. */
const IDLE_MINUTES = 10;

export async function* aboutIdling(options: ProbeOptions, source: string): AsyncGenerator<Fact> {
  const clients = {
    silent: await openStomp(options),
    pinging: await openStomp(options),
    sending: await openStomp(options),
    reading: await openStomp(options),
  };
  const id = randomUUID();
  clients.reading.ws.send(`SUBSCRIBE\nid:a\ndestination:${canaryTopic(source, id)}\n\n\0`);
  const began = options.now();
  const ended = new Map<string, number>();
  for (const [name, { ws }] of Object.entries(clients)) ws.once('close', () => ended.set(name, options.now() - began));
  for (let minute = 0; minute < MINUTES; minute++) {
    if (minute % EVERY_MINUTES === 0) {
      clients.pinging.ws.ping();
      clients.sending.ws.send('\n');
      await publishOne({ source, detailType: CANARY, detail: { id } }, options);
    }
    await options.wait(MINUTE);
  }
  const fate = (name: keyof typeof clients): string => {
    const ms = ended.get(name);
    if (ms === undefined) return 'stays open';
    return ms < (IDLE_MINUTES - 1) * MINUTE
      ? `was closed after ${Math.round(ms / 1000)} s: is IDLE_TIMEOUT_SECONDS 1800 there?`
      : `is closed after ${Math.round(ms / MINUTE)} minutes`;
  };
  const silent = `is closed after ${IDLE_MINUTES} minutes`;
  yield compared('a client without traffic', silent, fate('silent'));
  yield compared('one that sends a message', 'stays open', fate('sending'));
  yield compared('one that is posted to', 'stays open', fate('reading'));
  yield measured('one that sends ping frames', silent, fate('pinging'));
  for (const { ws } of Object.values(clients)) ws.terminate();
}
