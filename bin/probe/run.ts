/** All probes, in order. */
import type { StackTarget } from '../stack-target.ts';
import type { Fact, ProbeOptions } from './fact.ts';
import { aboutIdling } from './idle.ts';
import { aboutGone, aboutHops } from './inside.ts';
import { aboutSockets } from './sockets.ts';
import { aboutStreams } from './streams.ts';

export interface Probes extends ProbeOptions {
  /** `null` = no credentials: what needs them is left out. */
  readonly target: StackTarget | null;
  /** Also what takes twelve minutes. */
  readonly idle: boolean;
  /** A source of the deployment, for canaries. */
  readonly source: string;
  /** How long the topic is kept busy that shows hand-ons, in seconds. */
  readonly busySeconds: number;
}

/** A probe that fails is a fact too, and the others go on. */
export async function* probe({ target, idle, source, busySeconds, ...options }: Probes): AsyncGenerator<Fact> {
  const probes: Readonly<Record<string, () => AsyncGenerator<Fact>>> = {
    WebSockets: () => aboutSockets(options, source),
    'event streams': () => aboutStreams(options),
    ...(target === null
      ? {}
      : {
          'connections that are gone': () => aboutGone(options, target),
          'hand-ons': () => aboutHops(options, target, source, busySeconds),
        }),
    ...(idle ? { idling: () => aboutIdling(options, source) } : {}),
  };
  for (const [about, ask] of Object.entries(probes)) {
    try {
      yield* ask();
    } catch (error) {
      yield { fact: about, assumed: 'can be probed', seen: (error as Error).message, agrees: false };
    }
  }
}
