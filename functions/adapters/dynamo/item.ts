/** An item as it was read: nothing is known of it yet. */
export type Item = Record<string, unknown>;

export const text = (item: Item, name: string): string => (typeof item[name] === 'string' ? item[name] : '');
export const number = (item: Item, name: string): number => (typeof item[name] === 'number' ? item[name] : 0);

/** TTL deletes days late, so every reader checks for itself. `expiresAt` is in seconds, as TTL wants it. */
export const expired = (item: Item, nowMs: number): boolean => typeof item['expiresAt'] === 'number' && item['expiresAt'] * 1000 <= nowMs;

export const ttl = (atMs: number): number => Math.ceil(atMs / 1000);
