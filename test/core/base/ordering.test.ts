import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventTime, isAheadOf, latestOrder, orderOf } from '../../../core/base/ordering.ts';

const rankedEvent = fc.record({
  atMicros: fc.nat({ max: 4_102_444_800_000_000 }),
  rank: fc.nat({ max: 9 }),
  acceptedAtMs: fc.nat({ max: 9_999_999_999_999 }),
  index: fc.nat({ max: 999_999 }),
  id: fc.string({ minLength: 1, maxLength: 12 }),
});
type Ranked = typeof rankedEvent extends fc.Arbitrary<infer One> ? One : never;

/** The documented order, field by field. */
const compare = (a: Ranked, b: Ranked): number =>
  a.atMicros - b.atMicros ||
  a.rank - b.rank ||
  a.acceptedAtMs - b.acceptedAtMs ||
  a.index - b.index ||
  (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
const sign = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

test('the text sorts by event time, rank, acceptance, index and id, in this order', () => {
  fc.assert(
    fc.property(rankedEvent, rankedEvent, (a, b) => {
      expect(sign(orderOf(a), orderOf(b))).toBe(Math.sign(compare(a, b)));
    }),
  );
});

test('each field decides when the fields before it are equal', () => {
  const base: Ranked = { atMicros: 1_770_000_000_000_000, rank: 1, acceptedAtMs: 1_770_000_000_000, index: 9, id: 'b' };
  const earlier: Partial<Ranked>[] = [
    { atMicros: base.atMicros - 1, rank: 9, acceptedAtMs: 9_999_999_999_999, index: 999_999, id: 'z' },
    { rank: 0, acceptedAtMs: 9_999_999_999_999, index: 999_999, id: 'z' },
    { acceptedAtMs: base.acceptedAtMs - 1, index: 999_999, id: 'z' },
    { index: 8, id: 'z' },
    { id: 'a' },
  ];

  for (const over of earlier) expect(orderOf({ ...base, ...over }) < orderOf(base)).toBe(true);
});

test('numbers of different lengths sort as numbers', () => {
  const base = { atMicros: 1, acceptedAtMs: 1, index: 1, id: 'x' };

  expect(orderOf({ ...base, atMicros: 9 }) < orderOf({ ...base, atMicros: 10 })).toBe(true);
  expect(orderOf({ ...base, acceptedAtMs: 9 }) < orderOf({ ...base, acceptedAtMs: 10 })).toBe(true);
  expect(orderOf({ ...base, index: 9 }) < orderOf({ ...base, index: 10 })).toBe(true);
});

test('the rank is 0 unless it is given', () => {
  const event = { atMicros: 1, acceptedAtMs: 2, index: 3, id: 'x' };

  expect(orderOf(event)).toBe(orderOf({ ...event, rank: 0 }));
  expect(orderOf(event)).toBe('0000000000000001.0.0000000000002.000003.x');
});

test.each([
  ['none', null, 1_000_000_000, false],
  ['one in the past', 999_999_999, 999_999_999, false],
  ['one exactly 5 s ahead', 1_005_000_000, 1_005_000_000, false],
  ['one a microsecond further ahead', 1_005_000_001, 1_000_000_000, true],
  ['one before 1970', -1, 0, false],
])('an event whose own time is %s counts at its time, or at its acceptance', (_, own, atMicros, ahead) => {
  expect(eventTime(own, 1_000_000)).toEqual({ atMicros, ahead });
});

test('no order that an event may have now is later than the latest, and those of wrong clocks are', () => {
  const now = Date.UTC(2026, 10, 25);
  const order = (ms: number, acceptedAtMs = now) => orderOf({ atMicros: ms * 1000, acceptedAtMs, index: 999, id: 'z', rank: 1 });

  for (const ms of [0, now, now + 5_000, now + 64_999]) expect(order(ms) < latestOrder(now)).toBe(true);
  for (const ms of [now + 65_000, Date.UTC(2099, 0), 8.64e15]) expect(order(ms, 8.64e15) > latestOrder(now)).toBe(true);
  expect(isAheadOf(now + 65_000, now)).toBe(false);
  expect(isAheadOf(now + 65_001, now)).toBe(true);
});
