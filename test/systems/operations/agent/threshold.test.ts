import { describe, expect, test } from 'vitest';
import { CALM, judge, type ThresholdState } from '../../../../systems/operations/agent/machine/threshold.ts';

const FORM = { fire: 90, clear: 80, forMs: 10_000, clearForMs: 20_000 };

/** Changes that values make, one value a second. */
function changesOf(values: readonly (number | null)[], from: ThresholdState = CALM): string[] {
  let state = from;
  return values.flatMap((value, second) => {
    const next = judge(state, value, second * 1_000, FORM);
    state = next.state;
    return next.change ? [`${second} ${next.change}`] : [];
  });
}
const seconds = (value: number | null, count: number) => Array.from({ length: count }, () => value);

describe('a threshold', () => {
  test('is raised after a while above, and cleared after a while below the lower one', () => {
    expect(changesOf([...seconds(95, 20), ...seconds(85, 60), ...seconds(50, 60)])).toEqual(['10 raise', '100 clear']);
  });

  test('that is touched again and again is told once', () => {
    const flapping = Array.from({ length: 600 }, (_, second) => (second % 5 === 0 ? 79 : 95));
    expect(changesOf([...seconds(95, 15), ...flapping])).toEqual(['10 raise']);
    expect(changesOf(Array.from({ length: 600 }, (_, second) => (second % 5 === 0 ? 79 : 95)))).toEqual([]);
  });

  test('keeps what it was while there is no value', () => {
    expect(changesOf([...seconds(95, 15), ...seconds(null, 100)])).toEqual(['10 raise']);
    expect(changesOf([...seconds(95, 5), ...seconds(null, 2), ...seconds(95, 5)])).toEqual(['10 raise']);
  });

  test('goes on after a restart with what it had waited, and is not told again', () => {
    const { state } = judge(CALM, 95, -8_000, FORM);
    expect(changesOf(seconds(95, 5), JSON.parse(JSON.stringify(state)) as ThresholdState)).toEqual(['2 raise']);
    expect(changesOf(seconds(95, 50), { raised: true, sinceMs: null })).toEqual([]);
  });
});
