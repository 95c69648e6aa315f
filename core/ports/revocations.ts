/** Users whose older tokens count no longer. */

export interface Revocations {
  /** Tokens of this user issued before it count no longer, in ms; `null` = all count. Strongly consistent. */
  before(userId: string): Promise<number | null>;
  /** MUST never move backwards. */
  revoke(userId: string, beforeMs: number): Promise<void>;
}
