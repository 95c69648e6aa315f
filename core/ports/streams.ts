/** About how many event streams are open. The stream of a killed function counts until its time is over. */
export interface Streams {
  /** Returns their number, this one included. */
  enter(atMs: number): Promise<number>;
  leave(enteredAtMs: number): Promise<void>;
}
