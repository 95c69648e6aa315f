import { AssertionError } from 'node:assert';
import { inspect } from 'node:util';

/** The longest a wait may last, in ms of real time: less than a test may, so that a test fails by what it lacks and not by a time-out. */
export const WAIT_MS = 20_000;

/** The same for the work of a local run, and for a process that bundles, synthesises or starts one. */
export const PROCESS_MS = 90_000;

const SHOWN = 30;

/** Waits for `wait`; after `ms` it fails, with what was awaited and what had been received by then. */
export async function within<Value>(
  wait: Promise<Value>,
  what: string,
  received: () => readonly unknown[] = () => [],
  ms = WAIT_MS,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const timeIsUp = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, ms, 'late');
  });
  try {
    const first = await Promise.race([wait.then((value) => ({ value })), timeIsUp]);
    if (first === 'late') throw new AssertionError({ message: `expected ${what} within ${ms / 1000} s; ${excerpt(received())}` });
    return first.value;
  } finally {
    clearTimeout(timer);
  }
}

/** The newest of what was received, shortened. */
export function excerpt(received: readonly unknown[]): string {
  const shown = received.slice(-SHOWN).map((one) => `\n  ${inspect(one, { breakLength: Number.POSITIVE_INFINITY, maxStringLength: 300 })}`);
  const omitted = received.length - shown.length;
  return `received ${received.length}${omitted > 0 ? `, the newest ${SHOWN} of them` : ''}:${shown.join('') || ' nothing'}`;
}
