import type { Dialect } from '../ports.ts';

/** A failure of one STOMP frame, with the receipt that was asked for. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
  readonly failure: unknown;
  readonly receipt: string | null;
  /** In which its client is told. */
  readonly dialect: Dialect;

  constructor(failure: unknown, receipt: string | null, dialect: Dialect) {
    super('a frame was not served');
    this.failure = failure;
    this.receipt = receipt;
    this.dialect = dialect;
  }
}
