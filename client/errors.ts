/** A failure, as callers of the library get it. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  /** The server's code (`docs/protocol.md`, "Errors and limits"), or one of the library's own, such as `TIMEOUT`. */
  readonly code: string;
  /** Trying again is of no use: the caller must change something. */
  readonly fatal: boolean;
  /** The topics that it is about. */
  readonly topics: readonly string[];

  constructor(
    code: string,
    message: string,
    { fatal = false, topics = [], cause }: { fatal?: boolean; topics?: readonly string[]; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.code = code;
    this.fatal = fatal;
    this.topics = topics;
  }
}

/** Turns a thrown value into an Error. */
export const errorOf = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(typeof thrown === 'string' ? thrown : 'no Error was thrown');
