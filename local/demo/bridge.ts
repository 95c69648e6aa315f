import { makeLevers } from '../base/levers.ts';

/** How far a day's path strays from the straight line between its ends, as a share of the price. */
const STRAY = 0.003;

/**
 * A path from one daily price to the next in so many steps: a random walk bent so that it begins and ends at the
 * real values. What lies between them is invented, and the same for the same seed.
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
