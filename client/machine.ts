/** Notices what ends connections without their knowledge: sleep, another network, a page that is put aside. */
import type { Env } from './env.ts';

/** A look at the clocks, and how late it may be before the machine must have slept; a hidden page's timers run once a minute. In ms. */
const LOOK_MS = 30_000;
const SLEPT_MS = 20_000;
const HIDDEN_SLEPT_MS = 100_000;

export interface MachineEvents {
  /** The connection may be dead, although it says that it is open; or a retry is worth it now. */
  woken(): void;
  offline(): void;
  /** The page is kept for "back": an open connection would keep it from that. */
  suspended(): void;
  resumed(): void;
}

/** Returns what ends it. Neither clock is trusted alone: one stops in sleep, the other may be set. */
export function watchMachine(env: Env, events: MachineEvents): () => void {
  let [mono, wall] = [env.now(), env.wall()];
  const look = (): void => {
    const late = Math.max(env.now() - mono, env.wall() - wall) - LOOK_MS;
    [mono, wall] = [env.now(), env.wall()];
    // frames that came meanwhile are served first
    if (late > (env.hidden() ? HIDDEN_SLEPT_MS : SLEPT_MS)) env.after(0, events.woken);
    cancel = env.after(LOOK_MS, look);
  };
  let cancel = env.after(LOOK_MS, look);
  const unlisten = env.onPage((event) => {
    switch (event) {
      case 'visible':
      case 'online':
        return events.woken();
      case 'offline':
        return events.offline();
      case 'kept':
        return events.suspended();
      case 'shown':
        return events.resumed();
      case 'hidden':
        return;
    }
  });
  return () => {
    cancel();
    unlisten();
  };
}
