/** Which connections a client has. */

export interface Membership {
  readonly connectionId: string;
  readonly connectedAtMs: number;
}

/** Members that never left are forgotten when no connection can live that long. */
export interface Clients {
  /** MUST be one write. Returns all members of the client, this one included. */
  enter(client: string, member: Membership, nowMs: number): Promise<Membership[]>;
  leave(client: string, member: Membership): Promise<void>;
}
