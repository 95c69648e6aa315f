/** Tickets: secrets that stand in for a token where a browser can send none. */
import type { Principal, TicketUse } from '../identity.ts';

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
