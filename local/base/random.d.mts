/** A generator of numbers from 0 up to 1: the same seed gives the same sequence. */
export function randomOf(seed: number): () => number;
