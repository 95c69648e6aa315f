import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventTime, orderOf } from '../../../core/base/ordering.ts';
import { formatPosition, parsePosition } from '../../../core/base/position.ts';
import { parseMicros } from '../../../core/base/time.ts';
import { formatPoint, parsePoint, thinPoints } from '../../../systems/prices/history.ts';
import { inMarketHours, sessionClose } from '../../../systems/prices/market-hours.ts';
import { gapOf, isStale, quoteOf, type StoredPrice } from '../../../systems/prices/quote.ts';
import { freshness } from '../../../systems/prices/settings.ts';
import { settings } from '../../helpers/ports.ts';

const FRESH = freshness(settings);

const NOW = Date.UTC(2026, 1, 6, 3);
const price = (over: Partial<StoredPrice> = {}): StoredPrice => ({
  price: 100,
  change: 1,
  change_rate: 1,
  volume: 5,
  bid_price: 100,
  ask_price: 100,
  timestamp: '2026-02-06T03:00:00Z',
  source: 'realtime',
  atMs: NOW,
  ...over,
});

describe('freshness', () => {
  test.each([
    ['a tick of 300 s ago', price({ atMs: NOW - 300_000 }), false],
    ['a tick of 301 s ago', price({ atMs: NOW - 301_000 }), true],
    ['a close of 7 days ago', price({ source: 'daily', atMs: NOW - 7 * 86_400_000 }), false],
    ['a close of 8 days ago', price({ source: 'daily', atMs: NOW - 8 * 86_400_000 }), true],
  ])('%s', (_, stored, stale) => {
    expect(isStale(stored, NOW, FRESH)).toBe(stale);
  });

  test('a halt without a price gives no quote, but a gap with both reasons', () => {
    const halt = { halted: true, reason: 'x', timestamp: '' };

    expect(quoteOf('005930', { halt }, NOW, FRESH)).toBeNull();
    expect(gapOf('005930', { halt }, NOW, FRESH)).toEqual({ ticker: '005930', reasons: ['no_quote', 'halted'], last: null });
    expect(gapOf('005930', { price: price() }, NOW, FRESH)).toBeNull();
  });
});

describe('market hours', () => {
  const hours = { openMinute: 540, closeMinute: 930, holidays: ['2026-02-16'] };
  test.each([
    ['Friday 08:59', '2026-02-06T08:59:00+09:00', false],
    ['Friday 09:00', '2026-02-06T09:00:00+09:00', true],
    ['Friday 15:29', '2026-02-06T15:29:59+09:00', true],
    ['Friday 15:30', '2026-02-06T15:30:00+09:00', false],
    ['Saturday noon', '2026-02-07T12:00:00+09:00', false],
    ['Monday 09:30, Sunday in London', '2026-02-09T09:30:00+09:00', true],
    ['a holiday', '2026-02-16T10:00:00+09:00', false],
  ])('%s', (_, at, open) => {
    expect(inMarketHours(Date.parse(at), hours)).toBe(open);
  });

  test('a session closes at 15:30 in Seoul; a day that does not exist has no close', () => {
    expect(sessionClose('2026-02-06')).toBe(Date.parse('2026-02-06T15:30:00+09:00'));
    expect(sessionClose('2026-02-30')).toBeNull();
    expect(sessionClose('06.02.2026')).toBeNull();
  });
});

describe('times', () => {
  test.each([
    ['2026-02-06T22:48:44.590151+00:00', Date.UTC(2026, 1, 6, 22, 48, 44) * 1000 + 590_151],
    ['2026-02-06T22:48:44Z', Date.UTC(2026, 1, 6, 22, 48, 44) * 1000],
    ['2026-02-07T07:48:44.5+09:00', Date.UTC(2026, 1, 6, 22, 48, 44) * 1000 + 500_000],
    ['2026-02-06T22:48:44', null],
    ['2026-02-06', null],
    ['2026-13-06T22:48:44Z', null],
    ['2026-02-30T22:48:44Z', null],
    ['2026-02-28T24:00:00Z', null],
    ['2026-06-30T23:59:60Z', null],
    ['', null],
  ])('%s', (text, micros) => {
    expect(parseMicros(text)).toBe(micros);
  });

  test('a time too far ahead counts as accepted now', () => {
    expect(eventTime((NOW + 5_000) * 1000, NOW)).toEqual({ atMicros: (NOW + 5_000) * 1000, ahead: false });
    expect(eventTime((NOW + 5_001) * 1000, NOW)).toEqual({ atMicros: NOW * 1000, ahead: true });
    expect(eventTime(null, NOW)).toEqual({ atMicros: NOW * 1000, ahead: false });
  });

  test('orders sort as text by time, acceptance, index and id, as `docs/protocol.md` specifies', () => {
    const stamp = fc.record({
      atMicros: fc.nat({ max: 4_000_000_000_000_000 }),
      acceptedAtMs: fc.nat({ max: 4_000_000_000_000 }),
      index: fc.nat({ max: 499_499 }),
      id: fc.uuid(),
    });
    fc.assert(
      fc.property(stamp, stamp, (a, b) => {
        const expected =
          a.atMicros - b.atMicros || a.acceptedAtMs - b.acceptedAtMs || a.index - b.index || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
        const found = orderOf(a) < orderOf(b) ? -1 : orderOf(a) > orderOf(b) ? 1 : 0;
        expect(found).toBe(Math.sign(expected));
      }),
    );
  });
});

describe('positions', () => {
  test('are the same after they are written and read', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-z]{1,32}$/), fc.nat(), (epoch, offset) => {
        expect(parsePosition(formatPosition(epoch, offset))).toEqual({ epoch, offset });
      }),
    );
  });

  test.each(['', ':', 'a:', ':1', 'a:-1', 'a:1.5', 'a b:1', 'a:1;k', 'ä:1', `${'x'.repeat(33)}:1`])('%s is not a position', (text) => {
    expect(parsePosition(text)).toBeNull();
  });

  test('the position of a KEEPALIVE is that of its message', () => {
    expect(parsePosition('abc:7;k3')).toEqual({ epoch: 'abc', offset: 7 });
  });
});

describe('history', () => {
  test('points are the same after they are written and read', () => {
    fc.assert(
      fc.property(fc.nat({ max: 4_000_000_000_000 }), fc.nat(), (atMs, won) => {
        expect(parsePoint(formatPoint(atMs, won))).toEqual({ atMs, price: won, timestamp: new Date(atMs).toISOString() });
      }),
    );
  });

  test('keeps all of the newest points and thins out the older ones over ten minutes', () => {
    const points = Array.from({ length: 90 }, (_, index) => formatPoint(NOW + index * 10_000, index));

    const kept = thinPoints(points)?.map(parsePoint) ?? [];

    expect(thinPoints(points.slice(1))).toBeNull();
    expect(kept.slice(-30).map(({ price: won }) => won)).toEqual(Array.from({ length: 30 }, (_, index) => 60 + index));
    expect(kept.length).toBe(60);
    expect(kept.map(({ atMs }) => atMs)).toEqual(kept.map(({ atMs }) => atMs).sort((a, b) => a - b));
  });
});
