/** The way out to connections. `slow` = not delivered, perhaps later: throttled, or the gateway is in trouble. */
export type PostResult = 'sent' | 'gone' | 'slow';

export interface Gateway {
  /**
   * Retries throttling and server errors a few times, within about a second. Throws only if the gateway refuses posts altogether. `before` is awaited right before every try, when
   * there is a free socket for it; what it throws ends the post.
   */
  post(connectionId: string, frame: string, before?: () => Promise<void>): Promise<PostResult>;
  close(connectionId: string): Promise<void>;
  /** When anything last went over the connection, in ms; `null` if the gateway cannot say. */
  stateOf(connectionId: string): Promise<{ readonly lastActiveMs: number } | 'gone' | null>;
}
