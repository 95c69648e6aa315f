import type { Dialect } from '../ports/audience.ts';

/** The failure of one STOMP frame, with the receipt that it asked for. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
  readonly failure: unknown;
  readonly receipt: string | null;
  /** The dialect of the ERROR frame. */
  readonly dialect: Dialect;

  constructor(failure: unknown, receipt: string | null, dialect: Dialect) {
    super('a frame was not served');
    this.failure = failure;
    this.receipt = receipt;
    this.dialect = dialect;
  }
}
