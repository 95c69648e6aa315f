import { createHash } from 'node:crypto';

/** A key's SHA-256: of equal length for any key, so that the time of a comparison reveals nothing. */
export const digest = (key: string): Buffer => createHash('sha256').update(key).digest();
