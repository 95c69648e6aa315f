/**
 * The requests that a walk through the engine makes to the tables. `test/functions/budget.test.ts` counts each on the real
 * adapters and holds it to this list, and `docs/cost-and-scale.md` is computed from it.
 */
export interface Walk {
  readonly writes: number;
  readonly reads: number;
  readonly queries: number;
}

const walk = (writes: number, reads = 0, queries = 0): Walk => ({ writes, reads, queries });

export const WALKS = {
  /** A WebSocket that opens, and its end without subscriptions. */
  connect: walk(2),
  disconnect: walk(2, 0, 1),
  /** One subscription of a connection that ends. */
  endedSubscription: walk(2),
  /** A message of a client, such as a pong or a heart-beat. What it asks for comes on top. */
  message: walk(1),
  /** The mark on a connection whose ping is due. */
  ping: walk(1),
  /** The greeting that the frame CONNECT of a STOMP client asks for. */
  stompConnect: walk(1),
  /** A subscription to a topic that has subscribers. */
  subscribe: walk(3, 3),
  stompSubscribeLog: walk(3, 4, 2),
  /** `client_info` of an operations dashboard, with its six subscriptions. */
  announcement: walk(1 + 2 + 6 * 3, 1 + 1 + 2 + 6, 5 * 2),
  /** An event of a state topic that nobody hears; then with subscribers, a query for each page of them. */
  stateEventUnheard: walk(1),
  stateEventHeard: walk(3, 1, 1),
  /** The newest again, to the one subscriber of a state topic. */
  keepAlive: walk(2, 1, 1),
  logEventUnheard: walk(3, 1),
  logEventHeard: walk(5, 2, 2),
  /** A look of an event stream. */
  streamLook: walk(0, 1),
} as const;

export type Walks = Readonly<Record<keyof typeof WALKS, Walk>>;
