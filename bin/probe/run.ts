/** All probes, in order. */
import type { StackTarget } from '../stack-target.ts';
import type { Fact, Probed } from './fact.ts';
import { probeGone } from './gone.ts';
import { probeHops } from './hops.ts';
import { type IdleClock, probeIdling } from './idle.ts';
import { probeSockets } from './sockets.ts';
import { probeStreams } from './streams.ts';

export interface ProbeOptions {
  /** `null` = no credentials: what needs them is left out. */
  readonly target: StackTarget | null;
  /** For what takes twelve minutes; `null` = that is left out. */
  readonly idleClock: IdleClock | null;
  /** How long a topic is kept busy, in seconds. */
  readonly busySeconds: number;
  /** How long counts and logs may lag behind, in ms. @default 5 s */
  readonly settleMs?: number;
}

/** A probe that fails is a fact too, and the others go on. */
export async function* probe(probed: Probed, { target, idleClock, ...busy }: ProbeOptions): AsyncGenerator<Fact> {
  const probes: Readonly<Record<string, () => AsyncGenerator<Fact>>> = {
    WebSockets: () => probeSockets(probed),
    'event streams': () => probeStreams(probed),
    ...(target === null
      ? {}
      : { 'connections that are gone': () => probeGone(probed, target), 'hand-ons': () => probeHops(probed, { ...busy, target }) }),
    ...(idleClock === null ? {} : { 'the idle clock': () => probeIdling(probed, idleClock) }),
  };
  for (const [fact, ask] of Object.entries(probes)) {
    try {
      yield* ask();
    } catch (error) {
      yield { fact, assumed: 'can be probed', seen: (error as Error).message, agrees: false };
    }
  }
}
