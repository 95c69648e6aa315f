/** When a webhook's host wants the next try. */

/** A host that says 429 without saying for how long, in seconds. */
const LONG_SECONDS = 60;
/** SQS delays no longer. */
const MOST_SECONDS = 900;
const LEAST_SECONDS = 1;

/**
 * Seconds to wait, from the header (seconds, also with a fraction, or a date) and Discord's body (`retry_after`, seconds with a
 * fraction): the larger of both, rounded up.
 * @param header `Retry-After`; `null` = none
 */
export function retryAfter(header: string | null, body: string, nowMs: number): number {
  const said = [fromHeader(header, nowMs), fromBody(body)].filter((one) => one !== null);
  return said.length === 0 ? LONG_SECONDS : clamp(Math.max(...said));
}

/** Pause before another try of a host that failed, doubling, in seconds. `random`: 0 to 1. */
export const backoff = (tries: number, random: number): number => clamp(2 ** tries * (0.5 + random / 2) * 2);

const clamp = (seconds: number): number => Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, Math.ceil(seconds)));

function fromHeader(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  const text = header.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  const at = Date.parse(text);
  // the parser takes any number for a year
  return Number.isNaN(at) || !/^[a-z]/i.test(text) ? null : (at - nowMs) / 1000;
}

function fromBody(body: string): number | null {
  try {
    const { retry_after: seconds } = JSON.parse(body) as { retry_after?: unknown };
    return typeof seconds === 'number' && Number.isFinite(seconds) ? seconds : null;
  } catch {
    // most answers are no JSON; `null` has no fields
    return null;
  }
}
