/** Prints each step of a program as it begins, and how long it took when it ends. */

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Returns a function that begins a step; `null` ends the last one. */
export function makeProgress(): (step: string | null) => void {
  let started = 0;
  let running = false;
  return (step) => {
    if (running) process.stdout.write(` ${seconds(performance.now() - started)}\n`);
    running = step !== null;
    started = performance.now();
    if (running) process.stdout.write(`${step} …`);
  };
}
