/** All probes, in order. */
import type { StackTarget } from '../stack-target.ts';
import type { Fact, ProbeOptions } from './fact.ts';
import { aboutIdling } from './idle.ts';
import { aboutInside } from './inside.ts';
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

export async function* probe({ target, idle, source, busySeconds, ...options }: Probes): AsyncGenerator<Fact> {
  yield* aboutSockets(options, source);
  yield* aboutStreams(options);
  if (target !== null) yield* aboutInside(options, target, source, busySeconds);
  if (idle) yield* aboutIdling(options, source);
}
