/**
 * Gives back the disk under what was read of a service's output. The file is never cut: its writer goes on at its end, and
 * no line falls between two calls. What was read becomes a hole, which takes no room.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Place } from './opened.ts';

/** Each time so much more was read. */
const STEP_BYTES = 16 * 1024 * 1024;
/** Stays before the position: the bytes just before it show whether the file is still the same. */
const KEPT_BYTES = 1024 * 1024;

const run = promisify(execFile);

/** Returns what is called with the place that was read to. `warn` is called once if nothing can be freed. */
export function freeSpace(path: string, warn: (message: string) => void): (place: Place) => Promise<void> {
  let freed = 0;
  let hasFailed = false;
  return async ({ offset }) => {
    if (offset < freed) freed = 0;
    if (offset - freed < STEP_BYTES + KEPT_BYTES) return;
    const end = offset - KEPT_BYTES;
    // after a failure it is tried again a step later
    freed = end;
    try {
      await run('fallocate', ['--punch-hole', '--offset', '0', '--length', String(end), path]);
      hasFailed = false;
    } catch (error) {
      if (!hasFailed) warn(`${path} grows: fallocate cannot free what was read (${(error as Error).message.trim().split('\n')[0]})`);
      hasFailed = true;
    }
  };
}
