/** A limit: so many a second, and a burst at once. */
export interface Quota {
  readonly rate: number;
  readonly burst: number;
}

/** True if there is a token left, which it takes. The quota may change meanwhile. */
export function tokenBucket(quota: Quota, now: () => number): () => boolean {
  let tokens = quota.burst;
  let atMs = now();
  return () => {
    const nowMs = now();
    tokens = Math.min(quota.burst, tokens + ((nowMs - atMs) / 1000) * quota.rate);
    atMs = nowMs;
    if (tokens < 1) return false;
    tokens--;
    return true;
  };
}
