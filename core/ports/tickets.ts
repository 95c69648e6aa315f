/** Tickets: secrets that stand in for a token where a browser can send none. */
import type { Principal } from '../identity.ts';

export interface TicketUse {
  readonly ticket: string;
  /** What it opens: the path of the WebSocket, or of an event stream. */
  readonly path: string;
  /** The address of an event stream, which reopens it: a ticket is good for the first one only. `null` = it opens once. */
  readonly url: string | null;
}

/** A ticket that was not used lapses after this long, in seconds (`docs/protocol.md`, "Tickets"). */
export const TICKET_SECONDS = 30;

/** A ticket reopens the stream it was first used for until this long after that. */
export const TICKET_REUSE_MS = 15 * 60_000;

export interface Tickets {
  /** Stores the holder, and the only path it is for. */
  issue(ticket: string, holder: Principal, path: string | null, nowMs: number): Promise<void>;
  /** The holder; `null` if the ticket is unknown, used or lapsed, or is for something else. Of several uses at once one MUST win. */
  redeem(use: TicketUse, nowMs: number): Promise<Principal | null>;
}
