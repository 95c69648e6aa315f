import { createHash } from 'node:crypto';

/** A key as the ring keeps it, in hex. */
export const sha256Of = (key: string): string => createHash('sha256').update(key).digest('hex');
