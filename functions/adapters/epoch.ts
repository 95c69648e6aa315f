import { randomBytes } from 'node:crypto';

/** Ten letters and digits: enough that no two lives of a topic share one. */
export const newEpoch = (): string => randomBytes(5).toString('hex');
