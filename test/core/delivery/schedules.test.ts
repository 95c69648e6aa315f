/** The promise of the whole: nothing lost, nothing older after newer, on the real code under thousands of schedules. */
import { describe, expect, test } from 'vitest';
import { runSchedule, type Weather } from '../../helpers/schedule.ts';

/** More with SCHEDULES=20000, from another place with SEED=7. */
const SCHEDULES = Number(process.env['SCHEDULES'] ?? 600);
const SEED = Number(process.env['SEED'] ?? 1);

async function runAll(kind: 'state' | 'log', weather: Weather, schedules = SCHEDULES) {
  const failures: string[] = [];
  let olderAfterNewer = 0;
  for (let index = 0; index < schedules; index++) {
    const verdict = await runSchedule(kind, SEED + index, weather);
    if (verdict.fail) failures.push(`seed ${SEED + index}: ${verdict.fail}`);
    olderAfterNewer += verdict.olderAfterNewer;
  }
  return { failures, olderAfterNewer };
}

describe.each(['state', 'log'] as const)('on a %s topic', (kind) => {
  test('nothing is lost and nothing older comes after something newer, with crashes, duplicates and disorder', {
    timeout: 600_000,
  }, async () => {
    expect(await runAll(kind, {})).toEqual({ failures: [], olderAfterNewer: 0 });
  });

  test('nor where events come in batches, and again in others', { timeout: 600_000 }, async () => {
    expect(await runAll(kind, { batches: true })).toEqual({ failures: [], olderAfterNewer: 0 });
  });

  test('nor with throttled consumers', { timeout: 600_000 }, async () => {
    expect(await runAll(kind, { slow: 0.05 })).toEqual({ failures: [], olderAfterNewer: 0 });
  });

  test('nor where the newest is told again while all goes on', { timeout: 600_000 }, async () => {
    expect(await runAll(kind, { repeats: true, slow: 0.02 })).toEqual({ failures: [], olderAfterNewer: 0 });
  });

  test('nor where subscribing handlers die: their clients were told', { timeout: 600_000 }, async () => {
    expect(await runAll(kind, { killSubscribers: true })).toEqual({ failures: [], olderAfterNewer: 0 });
  });

  test('with stalls longer than a turn still nothing is lost', { timeout: 600_000 }, async () => {
    expect((await runAll(kind, { stalls: true })).failures).toEqual([]);
  });
});

test('a client that subscribes again and again, or leaves and comes back, ends on the newest', { timeout: 600_000 }, async () => {
  expect((await runAll('state', { secondThoughts: true })).failures).toEqual([]);
});

test('a client that subscribes to a log again and again misses nothing', { timeout: 600_000 }, async () => {
  expect((await runAll('log', { secondThoughts: true, slow: 0.02 })).failures).toEqual([]);
});

describe('the checks notice a broken rule', () => {
  const broken: [string, 'state' | 'log', Weather][] = [
    [
      'a release that does not look whether somebody poked',
      'log',
      {
        sabotage: (ports) => ({
          ...ports,
          turns: { ...ports.turns, release: (topic, shard, me, done) => ports.turns.release(topic, shard, me, { ...done, pokes: null }) },
        }),
      },
    ],
    [
      'a redelivered event that gets a new base',
      'log',
      { sabotage: (ports) => ({ ...ports, topics: { ...ports.topics, eventBase: async (_, __, base) => base } }) },
    ],
    [
      'a subscription that is never marked late',
      'log',
      {
        sabotage: (ports) => ({
          ...ports,
          audience: { ...ports.audience, put: (one, at, until) => ports.audience.put({ ...one, late: false }, at, until) },
        }),
      },
    ],
    ['records that do not come back', 'state', { noRetry: true }],
    [
      'a turn that is taken over while it is valid',
      'state',
      {
        sabotage: (ports) => ({
          ...ports,
          turns: { ...ports.turns, poke: async (...parameters) => ({ ...(await ports.turns.poke(...parameters)), untilMs: 0 }) },
        }),
      },
    ],
  ];

  test.each(broken)('%s', { timeout: 600_000 }, async (_, kind, weather) => {
    const { failures, olderAfterNewer } = await runAll(kind, weather, 800);

    expect(failures.length + olderAfterNewer).toBeGreaterThan(0);
  });
});
