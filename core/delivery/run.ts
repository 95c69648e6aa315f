import type { Channel } from '../channels/channel.ts';
import type { Channels } from '../channels/channels.ts';
import type { DisconnectPorts } from '../connections/disconnect.ts';
import type { Subscription } from '../ports/audience.ts';
import type { Ports } from '../ports/ports.ts';
import type { KindStrategy } from './kind.ts';
import type { HeldTurn } from './turn.ts';

export interface DeliverPorts extends DisconnectPorts, Pick<Ports, 'topics' | 'turns' | 'gateway' | 'jobs' | 'registrations' | 'newId'> {
  readonly channels: Channels;
}

/** A run that takes longer hands on to a job. It leaves the function time for the audience of one more round. */
export const MAX_RUN_MS = 6_000;

/** One turn's work on a topic. */
export interface Run {
  readonly topic: string;
  readonly shard: number;
  readonly channel: Channel;
  readonly kind: KindStrategy;
  readonly turn: HeldTurn;
  readonly startedMs: number;
  /** How often in a row this drain was handed on before. */
  readonly handOns: number;
  /** Up to which offset this run has delivered to subscriptions that are not late. */
  done: number;
  deliveredAtMs: number;
  nextAtMs: number;
  repeat: boolean;
  /** The subscriptions that this run posted to. */
  readonly reached: Map<string, Subscription>;
  /** Something new was delivered, and not only a repeat. */
  news: boolean;
  /** A subscription is only half caught up: a job must continue. */
  unfinished: boolean;
  /** Of the current round: clients that were gone, and those that were throttled. */
  gone: number;
  slow: number;
}
