/** Codes that clients get. Clients depend on them: never rename one. */
export type ErrorCode =
  | 'INVALID_MESSAGE_FORMAT'
  | 'UNKNOWN_MESSAGE_TYPE'
  | 'AUTHENTICATION_REQUIRED'
  | 'PERMISSION_DENIED'
  | 'SERVICE_NOT_FOUND'
  | 'NOT_FOUND'
  | 'CHANNEL_DISABLED'
  | 'METHOD_NOT_ALLOWED'
  | 'PAYLOAD_TOO_LARGE'
  | 'RATE_LIMIT_EXCEEDED'
  | 'TOO_MANY_SUBSCRIPTIONS'
  | 'TOO_MANY_CONNECTIONS'
  | 'INTERNAL_SERVER_ERROR';

/** HTTP statuses of the codes; on a handshake too. */
export const HTTP_STATUS: Readonly<Record<ErrorCode, number>> = {
  INVALID_MESSAGE_FORMAT: 400,
  UNKNOWN_MESSAGE_TYPE: 400,
  AUTHENTICATION_REQUIRED: 401,
  PERMISSION_DENIED: 403,
  SERVICE_NOT_FOUND: 404,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  CHANNEL_DISABLED: 409,
  PAYLOAD_TOO_LARGE: 413,
  RATE_LIMIT_EXCEEDED: 429,
  TOO_MANY_SUBSCRIPTIONS: 429,
  TOO_MANY_CONNECTIONS: 429,
  INTERNAL_SERVER_ERROR: 500,
};

/** A failure that the client may know of. Anything else that is thrown is a bug or an outage, and stays with us. */
export class PushError extends Error {
  override readonly name: string = 'PushError';
  readonly code: ErrorCode;
  readonly details: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, details: Record<string, unknown> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** A service that we depend on does not answer: the same request may succeed a little later. */
export class UnavailableError extends PushError {
  override readonly name = 'UnavailableError';

  constructor(message: string, code: ErrorCode = 'INTERNAL_SERVER_ERROR', details: Record<string, unknown> = {}) {
    super(code, message, details);
  }
}

/** A path is there, but not for this method. */
export class MethodError extends PushError {
  override readonly name = 'MethodError';
  /** Also those that follow from them. */
  readonly allowed: readonly string[];

  constructor(path: string, methods: readonly string[], method: string) {
    super('METHOD_NOT_ALLOWED', `${path} takes ${methods.join(', ')}, not ${method}`);
    this.allowed = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
  }
}

/** A record of a queue that can never be served: its function puts it into the dead-letter queue, with the reason. */
export class PoisonError extends Error {
  override readonly name = 'PoisonError';
}

/** Thrown by a worker that lost its turn while it delivered: its record must come back, or the rest is never delivered. */
export class TurnLostError extends Error {
  override readonly name = 'TurnLostError';

  constructor(topic: string) {
    super(`the turn on ${topic} was lost during delivery; the record comes back`);
  }
}

/** The part of a failure that a client gets: a PushError as it is, nothing of any other. */
export function publicError(error: unknown, requestId: string): PushError {
  if (error instanceof PushError) return error;
  return new PushError('INTERNAL_SERVER_ERROR', 'something failed on our side; quote the request id when you ask', {
    request_id: requestId,
  });
}
