/** The first delivery of a subscription: the reply, then what is known now. */
import type { Position } from '../base/position.ts';
import type { Channel } from '../channels/channel.ts';
import type { Channels } from '../channels/channels.ts';
import { isOffered } from '../channels/transports.ts';
import { reply } from '../connections/reply.ts';
import type { PushMode } from '../names.ts';
import type { KnownSubscription } from '../ports/audience.ts';
import type { Connection } from '../ports/connections.ts';
import type { PostResult } from '../ports/gateway.ts';
import type { Ports } from '../ports/ports.ts';
import type { TopicState } from '../ports/topics.ts';
import { encode, encodeSubscribed, type Outgoing } from '../protocol/encode.ts';
import type { Newest } from './replay-start.ts';

export interface SubscribePorts
  extends Pick<Ports, 'topics' | 'audience' | 'ownSubscriptions' | 'registrations' | 'catalogue' | 'gateway' | 'jobs' | 'clock' | 'newId'> {
  readonly channels: Channels;
  readonly mode: PushMode;
}

/** One subscription that a client asks for, or gets by default. */
export interface Wish {
  readonly topic: string;
  readonly channel: Channel;
  /** The client's position, or the newest few that it asks for; `null` = neither. */
  readonly since: Position | Newest | null;
  readonly subscriptionId: string;
  /** STOMP: the receipt that was asked for. */
  readonly receipt: string | null;
  readonly filter: readonly string[] | null;
  /** It comes by default, and is not answered. */
  readonly unasked: boolean;
}

export interface Subscriber {
  readonly connection: Connection;
  readonly requestedAtMs: number;
}

/** A subscription to be put, after its first delivery. */
export interface Made {
  readonly from: number;
  /** Messages after `from` were not posted yet: a drain must. */
  readonly owed: boolean;
  /** Part of the log was replayed. */
  readonly replayed: boolean;
  /** Stamp of the registration that it starts from. */
  readonly registration: string | null;
}

/** `gone`: the connection is. `stands`: the client has the subscription already, and it stays as it is. */
export type FirstOutcome = Made | 'gone' | 'stands';

/** A kind's first delivery. `there`: the subscription or tombstone that stands there. */
export type FirstDelivery = (
  wish: Wish,
  state: TopicState,
  there: KnownSubscription | null,
  subscriber: Subscriber,
  ports: SubscribePorts,
) => Promise<FirstOutcome>;

/** The posts after the reply. */
export type Post = (message: Outgoing) => Promise<PostResult>;

/** The state of a topic as its subscription begins. */
export interface Standing {
  readonly head: Position;
  /** A replay follows that begins after this, and not after a position of the client. `null` = there is none. */
  readonly from: Position | null;
  /** `null` = the client said nothing of what it has. */
  readonly recovered: boolean | null;
}

/** Sends the reply. `recovered` travels on it, or on the first message if there is no reply. `null`: the connection is gone or throttled. */
export async function answer(
  wish: Wish,
  { connectionId, dialect }: Connection,
  standing: Standing,
  ports: SubscribePorts,
): Promise<Post | null> {
  const stream = isOffered('sse', ports.mode) ? (wish.channel.http?.streamOf(wish.topic) ?? null) : null;
  const text = encodeSubscribed({ ...wish, ...standing, stream }, dialect, ports.clock.now());
  if (text !== null && (await reply(connectionId, text, ports)) !== 'sent') return null;
  const { subscriptionId, filter } = wish;
  let pending = text === null ? standing.recovered : null;
  return async (message) => {
    const frame = encode(message, { dialect, subscriptionId, filter }, pending);
    if (frame === null) return 'sent';
    const result = await ports.gateway.post(connectionId, frame);
    if (result === 'sent') pending = null;
    return result;
  };
}
