/** The turn on a topic's cursor: the short right to deliver, held by one worker at a time. */

/** The cursor item of a topic and shard: how far it was delivered, and who may move it. */
export interface Turn {
  readonly holder: string;
  readonly untilMs: number;
  /** How often a drain was asked for. */
  readonly pokes: number;
  /** Up to which offset the audience was delivered, in the epoch beside it. */
  readonly cursor: number;
  /** Empty if nothing was delivered yet. */
  readonly epoch: string;
  /** When the audience was last delivered something, in ms; 0 = never. */
  readonly deliveredAtMs: number;
  /** State topics: when the next delivery may start, in ms. */
  readonly nextAtMs: number;
}

/** Saved by a worker when it releases its turn. */
export interface Progress {
  readonly cursor: number;
  readonly epoch: string;
  readonly deliveredAtMs: number;
  readonly nextAtMs: number;
  /** The release holds only if the topic was poked just this often; `null` = in any case. */
  readonly pokes: number | null;
}

export interface Turns {
  /** MUST poke, and take the turn if it is free, in ONE unconditional update. Returns the item afterwards. */
  poke(topic: string, shard: number, me: string, untilMs: number): Promise<Turn>;
  /** Takes over an expired turn on condition that it is still as `seen`; `null` if another worker was faster. */
  takeOver(topic: string, shard: number, seen: Turn, me: string, untilMs: number): Promise<Turn | null>;
  /** Strongly consistent. */
  read(topic: string, shard: number): Promise<Turn | null>;
  /** False if the turn is no longer mine. */
  extend(topic: string, shard: number, me: string, untilMs: number): Promise<boolean>;
  /** Releases without having delivered anything: the next worker may start at once. */
  abandon(topic: string, shard: number, me: string): Promise<void>;
  /** Saves progress and keeps the turn. False if it is no longer mine. */
  save(topic: string, shard: number, me: string, progress: Pick<Progress, 'cursor' | 'epoch'>, untilMs: number): Promise<boolean>;
  /** Advances the cursor and releases, on condition that the turn is mine and was not poked since. Returns `poked` if it was poked, `lost` if the turn is another's. */
  release(topic: string, shard: number, me: string, progress: Progress): Promise<'released' | 'poked' | 'lost'>;
}
