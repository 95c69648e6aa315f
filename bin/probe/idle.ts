/** Probe of the idle clock: four clients, each with one kind of traffic. It takes twelve minutes. */
import { randomUUID } from 'node:crypto';
import { CANARY, canaryTopic } from '../../core/channels/canary.ts';
import type { SocketClient } from '../socket-client.ts';
import { compared, type Fact, measured, type Probed, publishOne, withStomp } from './fact.ts';

const MINUTE_MS = 60_000;
const MINUTES = 12;
const EVERY_MINUTES = 4;
/** The platform's idle time-out, in minutes. */
const IDLE_MINUTES = 10;

export interface IdleClock {
  now(): number;
  wait(ms: number): Promise<void>;
}

export async function* probeIdling(probed: Probed, clock: IdleClock): AsyncGenerator<Fact> {
  yield* await withStomp(probed, (silent) =>
    withStomp(probed, (pinging) =>
      withStomp(probed, (sending) => withStomp(probed, (reading) => pass({ silent, pinging, sending, reading }, probed, clock))),
    ),
  );
}

type Clients = Readonly<Record<'silent' | 'pinging' | 'sending' | 'reading', SocketClient>>;

async function pass(clients: Clients, probed: Probed, { now, wait }: IdleClock): Promise<Fact[]> {
  const { source } = probed;
  const id = randomUUID();
  clients.reading.socket.send(`SUBSCRIBE\nid:a\ndestination:${canaryTopic(source, id)}\n\n\0`);
  const beganMs = now();
  const ended = new Map<string, number>();
  for (const [name, { socket }] of Object.entries(clients)) socket.once('close', () => ended.set(name, now() - beganMs));
  for (let minute = 0; minute < MINUTES; minute++) {
    if (minute % EVERY_MINUTES === 0) {
      clients.pinging.socket.ping();
      clients.sending.socket.send('\n');
      await publishOne({ source, detailType: CANARY, detail: { id } }, probed);
    }
    await wait(MINUTE_MS);
  }
  const fate = (name: keyof Clients): string => {
    const ms = ended.get(name);
    if (ms === undefined) return 'stays open';
    // the deployment itself closes clients that send nothing
    if (ms < (IDLE_MINUTES - 1) * MINUTE_MS) return `was closed after ${Math.round(ms / 1000)} s: is IDLE_TIMEOUT_SECONDS 1800 there?`;
    return `is closed after ${Math.round(ms / MINUTE_MS)} minutes`;
  };
  const idle = `is closed after ${IDLE_MINUTES} minutes`;
  return [
    compared('a client without traffic', idle, fate('silent')),
    compared('one that sends a message', 'stays open', fate('sending')),
    compared('one that is posted to', 'stays open', fate('reading')),
    measured('one that sends ping frames', idle, fate('pinging')),
  ];
}
