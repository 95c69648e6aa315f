/**
 * What a walk through the engine asks of the tables, in requests. `test/functions/budget.test.ts` counts these on the real
 * adapters and holds them to this list, and `docs/cost-and-scale.md` is computed from it.
 */
export interface Walk {
  readonly writes: number;
  readonly reads: number;
  readonly queries: number;
}

const walk = (writes: number, reads = 0, queries = 0): Walk => ({ writes, reads, queries });

export const WALKS = {
  /** A WebSocket that opens. */
  connect: walk(2),
  /** What the frame CONNECT of a STOMP client adds to its message: the greeting. */
  stompConnect: walk(1),
  /** Any message of a client, a heart-beat too; what it asks for comes on top. */
  message: walk(1),
  /** A subscription to a topic that has subscribers. */
  subscribe: walk(3, 3),
  stompSubscribeLog: walk(3, 4, 2),
  /** `client_info` of an operations dashboard, with its six subscriptions; the message comes on top. */
  announcement: walk(1 + 2 + 6 * 3, 1 + 1 + 2 + 6, 5 * 2),
  /** An event of a state topic that nobody hears; then with subscribers, a query for each page of them. */
  stateEventUnheard: walk(1),
  stateEventHeard: walk(3, 1, 1),
  logEventUnheard: walk(3, 1),
  logEventHeard: walk(5, 2, 2),
  /** A look of an event stream. */
  streamLook: walk(0, 1),
} as const;

export type Walks = Readonly<Record<keyof typeof WALKS, Walk>>;

/** From `docs/access-patterns.md`: a connection that closes, with one subscription. */
export const DISCONNECT: Walk = walk(2 + 2, 0, 1);
