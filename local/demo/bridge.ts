import { makeLevers } from '../base/levers.ts';

/** How far a day's path strays from a straight line, as a fraction of the price. */
const STRAY = 0.003;

/**
 * A path from one daily price to the next: a random walk, bent to start and end at the real prices. The prices in
 * between are invented. The same seed gives the same path.
 */
export function bridge(from: number, to: number, steps: number, seed: number): number[] {
  const { random } = makeLevers(seed);
  const walk = [0];
  for (let step = 1; step <= steps; step++) walk.push((walk[step - 1] ?? 0) + random() - 0.5);
  const end = walk[steps] ?? 0;
  const scale = (STRAY * from) / Math.sqrt(steps / 12);
  return walk.map((value, step) => {
    const share = step / steps;
    return Math.round(from + (to - from) * share + (value - end * share) * scale);
  });
}
