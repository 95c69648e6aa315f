/** API Gateway closes every connection after 2 hours; its records live a little longer. */
const CONNECTION_LIFE_MS = 2 * 3600_000;
const SLACK_MS = 10 * 60_000;

/** When the records of a connection may be deleted, in ms. */
export const expiryOf = (connectedAtMs: number): number => connectedAtMs + CONNECTION_LIFE_MS + SLACK_MS;

/**
 * A request of a client is served within this time, or never: its function has ended by then. So long an ended subscription
 * leaves a tombstone, against a subscribe that was overtaken.
 */
export const IN_FLIGHT_MS = 120_000;

/** Log items, event ids and message bodies live equally long. Otherwise a redelivery would refill a trimmed offset, or a reference point to nothing. */
export const LOG_LIFE_MS = 86_400_000;
