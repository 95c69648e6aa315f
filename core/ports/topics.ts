/** Topics, their logs, and whose turn it is to tell them. */
import type { StateCommit } from '../channels/channel.ts';

/** A topic's state item. A topic that nobody wrote to or listened to has none. */
export interface TopicState {
  readonly topic: string;
  readonly epoch: string;
  /** Offset of the newest message; of a log topic a hint that may lag behind. */
  readonly head: number;
  /** State topics: the newest message, in its parts. */
  readonly parts: Readonly<Record<string, object>>;
  /** Compact points of the recent history, oldest first. */
  readonly recent: readonly string[];
  /** Whether somebody may be listening. Unheard topics are not drained. */
  readonly heard: boolean;
  /** Its head when somebody began to listen after nobody had: up to there, nobody who is not late lacks anything. */
  readonly heardFrom: number;
  /** Whether the catalogue knows it. */
  readonly listed: boolean;
  /** When it may be forgotten, in ms, unless it is written to or asked for before; `null` = never. */
  readonly expiresAtMs: number | null;
}

export interface LogMessage {
  readonly offset: number;
  readonly eventId: string;
  /** When it was committed, to the second, in ms. */
  readonly atMs: number;
  readonly value: object;
}

export interface Topics {
  /** MUST be one conditional update. `changed` is false where the part holds the same or a later order. */
  commitState(commit: StateCommit): Promise<{ readonly changed: boolean; readonly state: TopicState }>;
  /** MUST replace the history by `points` only if the item is still as `seen`. */
  thinRecent(seen: TopicState, points: readonly string[]): Promise<void>;
  /** Strongly consistent. Topics without item are left out. */
  read(topics: readonly string[]): Promise<Map<string, TopicState>>;
  /** Says that somebody listens, making the topic at offset 0 if need be. Gives the item as it is afterwards. */
  hear(topic: string): Promise<TopicState>;
  /** Takes that back, under a stamp. */
  unhear(topic: string, stamp: string): Promise<void>;
  /** Nobody was there when it was looked for after that. MUST do nothing where somebody listens again, or has in between. */
  desert(topic: string, stamp: string): Promise<void>;
  /** Makes the topic at offset 0 if need be. Gives the item as it is afterwards. */
  create(topic: string): Promise<TopicState>;

  /** The base of an event on a log topic: `base` if it is new, else what it was given the first time. */
  eventBase(topic: string, eventId: string, base: number): Promise<number>;
  /** MUST take the offset only if it is free. Taken by the same event counts as put. */
  putLog(topic: string, offset: number, eventId: string, value: object): Promise<'put' | 'taken'>;
  /** Raises the head if it is lower, making the item if need be. Gives it as it is afterwards. */
  raiseHead(topic: string, head: number): Promise<TopicState>;
  /** Messages after an offset, ascending, at most `limit`; expired ones are left out. Strongly consistent. */
  readLog(topic: string, after: number, limit: number): Promise<LogMessage[]>;
  /** When the next message after an offset was committed, in ms, whether or not it has expired since; `null` where there is none. */
  committedAfter(topic: string, after: number): Promise<number | null>;
}

/** Who tells a topic: a lease on its cursor. */
export interface Turn {
  readonly holder: string;
  readonly untilMs: number;
  /** How often somebody asked for a drain. */
  readonly pokes: number;
  /** Up to which offset the audience was told, in the epoch beside it. */
  readonly cursor: number;
  /** Empty where nothing was told yet. */
  readonly epoch: string;
  /** When the audience was last told, in ms; 0 = never. */
  readonly toldAtMs: number;
  /** State topics: when it may be told next, in ms. */
  readonly nextAtMs: number;
}

export interface Turns {
  /** MUST poke and take the turn if it is free in ONE unconditional update. Gives the item afterwards. */
  poke(topic: string, shard: number, me: string, untilMs: number): Promise<Turn>;
  /** Takes over an expired turn, on condition that it still is `seen`'s; `null` where somebody was faster. */
  takeOver(topic: string, shard: number, seen: Turn, me: string, untilMs: number): Promise<Turn | null>;
  /** Strongly consistent. */
  read(topic: string, shard: number): Promise<Turn | null>;
  /** False where the turn is no longer mine. */
  extend(topic: string, shard: number, me: string, untilMs: number): Promise<boolean>;
  /** Lets go without having told anything: the next may begin at once. */
  abandon(topic: string, shard: number, me: string): Promise<void>;
  /** Saves progress without releasing. False where the turn is no longer mine. */
  save(topic: string, shard: number, me: string, told: Pick<Done, 'cursor' | 'epoch'>, untilMs: number): Promise<boolean>;
  /**
   * Advances the cursor and releases, on condition that the turn is mine and, where `pokes` is given, that nobody
   * poked since. Says which of both failed.
   */
  release(topic: string, shard: number, me: string, done: Done): Promise<'released' | 'poked' | 'lost'>;
}

export interface Done {
  readonly cursor: number;
  readonly epoch: string;
  readonly toldAtMs: number;
  readonly nextAtMs: number;
  readonly pokes: number | null;
}
