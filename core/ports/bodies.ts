/** Bodies of messages that are too large for a frame. */

export interface Body {
  /** A caller who may subscribe to the topic may read the body. */
  readonly topic: string;
  readonly payload: object;
  readonly expiresAtMs: number;
}

export interface Bodies {
  put(id: string, body: Body): Promise<void>;
  /** `null` if there is none, or it has expired. */
  read(id: string): Promise<Body | null>;
}
