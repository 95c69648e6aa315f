import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isDay, isoOf, parseMicros } from '../../../core/base/time.ts';

test.each([
  ['1970-01-01T00:00:00Z', 0],
  ['1970-01-01T00:00:00.000001Z', 1],
  ['1970-01-01T00:00:00.5Z', 500_000],
  ['1970-01-01T00:00:00.123456789Z', 123_456],
  ['1970-01-01T09:00:00+09:00', 0],
  ['1969-12-31T23:30:00-00:30', 0],
  ['2024-02-29T23:59:59Z', Date.UTC(2024, 1, 29, 23, 59, 59) * 1000],
])('%s is %i µs', (iso, micros) => {
  expect(parseMicros(iso)).toBe(micros);
});

test.each([
  ['', 'nothing'],
  ['2026-02-06', 'a date'],
  ['2026-02-06T22:48:44', 'no zone'],
  ['2026-02-06 22:48:44Z', 'no T'],
  ['2026-02-06T22:48Z', 'no seconds'],
  ['2026-02-06T24:00:00Z', 'hour 24'],
  ['2026-02-06T22:60:00Z', 'minute 60'],
  ['2026-02-06T22:48:60Z', 'second 60'],
  ['2026-02-30T00:00:00Z', 'a day that the month lacks'],
  ['2025-02-29T00:00:00Z', 'a leap day of a common year'],
  ['2026-13-01T00:00:00Z', 'month 13'],
  ['2026-02-06T22:48:44.Z', 'a point without digits'],
  ['2026-02-06T22:48:44.1234567890Z', 'ten digits of a second'],
  ['2026-02-06T22:48:44+0900', 'a zone without colon'],
  ['2026-02-06T22:48:44+25:00', 'a zone beyond a day'],
  ['x2026-02-06T22:48:44Z', 'something before it'],
  ['2026-02-06T22:48:44Zx', 'something after it'],
])('%j is no instant: %s', (text) => {
  expect(parseMicros(text)).toBeNull();
});

test('every instant with microseconds is read as it was written', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), fc.nat({ max: 999 }), (ms, micros) => {
      const iso = `${new Date(ms).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}Z`;

      expect(parseMicros(iso)).toBe(ms * 1000 + micros);
    }),
  );
});

test('any text is an instant or null, and never an error', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const micros = parseMicros(text);

      expect(micros === null || Number.isInteger(micros)).toBe(true);
    }),
  );
});

test.each([
  ['2024-02-29', true],
  ['2026-12-31', true],
  ['2025-02-29', false],
  ['2026-02-30', false],
  ['2026-04-31', false],
  ['2026-00-10', false],
  ['2026-1-1', false],
  ['2026-01-01T00:00:00Z', false],
  ['', false],
])('isDay of %j is %s', (date, expected) => {
  expect(isDay(date)).toBe(expected);
});

test('a time in ms is written as ISO 8601 in UTC', () => {
  expect(isoOf(1_770_418_124_590)).toBe('2026-02-06T22:48:44.590Z');
});
