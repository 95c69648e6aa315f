/** Work that is done a little later, or elsewhere. Jobs may be lost, doubled or late without harm. */

export type Job =
  /**
   * Delivers what a topic's audience lacks. `repeat`: the newest again, even if nothing is new. `handOns`: how often in a
   * row this drain was handed on before.
   */
  | { readonly kind: 'drain'; readonly topic: string; readonly shard: number; readonly repeat?: true; readonly handOns?: number }
  /** `isLast`: the connection is greeted even if it has sent something. */
  | { readonly kind: 'greet'; readonly connectionId: string; readonly atMs: number; readonly isLast?: true }
  /** Ends a STOMP connection whose CONNECT has not come. */
  | { readonly kind: 'expect-connect'; readonly connectionId: string }
  /** Closes a connection that was refused. */
  | { readonly kind: 'close-refused'; readonly connectionId: string }
  /** Closes a user's connections that were opened with a token from before. */
  | { readonly kind: 'end-user'; readonly userId: string; readonly beforeMs: number; readonly reason: string }
  | { readonly kind: 'ping'; readonly connectionIds: readonly string[] }
  /** The same for STOMP: a heart-beat, which clients drop. */
  | { readonly kind: 'beat'; readonly connectionIds: readonly string[] }
  /** Asks clients to come back after `afterMs`, at a random moment of `withinMs`. */
  | { readonly kind: 'reconnect'; readonly connectionIds: readonly string[]; readonly afterMs: number; readonly withinMs: number }
  /** Delivers the newest of some topics again. */
  | { readonly kind: 'keepalive'; readonly topics: readonly string[] };

/** Work for the systems' workers. Unlike jobs it must not be lost: it comes back until it is done, or dead. */
export interface Work {
  /** Throws if no system has this worker. */
  put(worker: string, work: object, delaySeconds?: number): Promise<void>;
}

export interface Jobs {
  put(job: Job, delaySeconds?: number): Promise<void>;
}

/** A record of a queue. */
export interface WorkRecord {
  readonly id: string;
  readonly body: string;
}

/** A record of a queue, as its function gets it. */
export interface QueueRecord extends WorkRecord {
  /** When the queue took it, in ms. */
  readonly sentAtMs: number;
}
