/** Notices what ends connections without their knowledge: sleep, another network, a page that is put aside. */
import type { Env, PageEvent } from './env.ts';

/** A look at the clocks, and how late it may be before the machine must have slept; a hidden page's timers run once a minute. In ms. */
const LOOK_MS = 30_000;
const SLEPT_MS = 20_000;
const HIDDEN_SLEPT_MS = 100_000;

/** `woken`: the connection may be dead although it says that it is open, or a retry is worth it now. */
export type MachineEvents = Readonly<Record<PageEvent, () => void>>;

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
  const unlisten = env.onPage((event) => events[event]());
  return () => {
    cancel();
    unlisten();
  };
}
