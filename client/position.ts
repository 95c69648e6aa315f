/** Positions, `epoch-offset`. They are opaque outside; offsets may be longer than a number holds. */
export interface Position {
  readonly epoch: string;
  readonly offset: bigint;
  readonly text: string;
}

/** Reads a position; `null` for anything else. */
export function parsePosition(text: unknown): Position | null {
  const match = typeof text === 'string' ? /^([0-9A-Za-z]+)-(\d+)$/.exec(text) : null;
  return match ? { epoch: match[1] as string, offset: BigInt(match[2] as string), text: match[0] } : null;
}

/** The position with the most after it: one of another epoch than `epoch` has everything after it. */
export function earliest(positions: readonly Position[], epoch: string | null): Position | null {
  const lowest = positions.reduce<Position | null>((best, one) => (best && best.offset <= one.offset ? best : one), null);
  return positions.find((one) => one.epoch !== epoch) ?? lowest;
}
