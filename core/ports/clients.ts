/** The connections of a client. */

export interface Membership {
  readonly connectionId: string;
  readonly connectedAtMs: number;
}

/** A member that never leaves is forgotten when the longest possible life of its connection has passed. */
export interface Clients {
  /** MUST be one write. Returns all members of the client, this one included. */
  enter(client: string, member: Membership, nowMs: number): Promise<Membership[]>;
  /** Strongly consistent. */
  members(client: string): Promise<Membership[]>;
  leave(client: string, member: Membership): Promise<void>;
}
