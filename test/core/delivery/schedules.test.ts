/** The real code under thousands of random schedules: nothing is lost, and no older message follows a newer one. */
import { describe, expect, test } from 'vitest';
import { type Conditions, runSchedule } from '../../helpers/schedule.ts';

/** SCHEDULES=20000 runs more, SEED=7 starts from another seed. */
const SCHEDULES = Number(process.env['SCHEDULES'] ?? 50);
const SEED = Number(process.env['SEED'] ?? 1);

async function runAll(kind: 'state' | 'log', conditions: Conditions, schedules = SCHEDULES) {
  const failures: string[] = [];
  let olderAfterNewer = 0;
  for (let index = 0; index < schedules; index++) {
    const verdict = await runSchedule(kind, SEED + index, conditions);
    if (verdict.fail) failures.push(`seed ${SEED + index}: ${verdict.fail}`);
    olderAfterNewer += verdict.olderAfterNewer;
  }
  return { failures, olderAfterNewer };
}

describe.each(['state', 'log'] as const)('on a %s topic', (kind) => {
  test('nothing is lost and no older message follows a newer one, despite crashes, duplicates and disorder', {
    timeout: 600_000,
  }, async () => {
    expect(await runAll(kind, {})).toEqual({ failures: [], olderAfterNewer: 0 });
  });

  test('the same holds if events arrive in batches and are redelivered in others', { timeout: 600_000 }, async () => {
    expect(await runAll(kind, { batches: true })).toEqual({ failures: [], olderAfterNewer: 0 });
  });

  test('the same holds with throttled consumers', { timeout: 600_000 }, async () => {
    expect(await runAll(kind, { slow: 0.05 })).toEqual({ failures: [], olderAfterNewer: 0 });
  });

  test('the same holds while the newest message is delivered again', { timeout: 600_000 }, async () => {
    expect(await runAll(kind, { repeats: true, slow: 0.02 })).toEqual({ failures: [], olderAfterNewer: 0 });
  });

  test('the same holds if handlers die while they subscribe a client that is lost with them', { timeout: 600_000 }, async () => {
    expect(await runAll(kind, { killSubscribers: true })).toEqual({ failures: [], olderAfterNewer: 0 });
  });

  test('nothing is lost even if workers stall for longer than a turn', { timeout: 600_000 }, async () => {
    expect((await runAll(kind, { stalls: true })).failures).toEqual([]);
  });
});

test('a client that subscribes repeatedly, or unsubscribes and subscribes again, ends on the newest', { timeout: 600_000 }, async () => {
  expect((await runAll('state', { resubscribes: true })).failures).toEqual([]);
});

test('a client that subscribes to a log repeatedly misses nothing', { timeout: 600_000 }, async () => {
  expect((await runAll('log', { resubscribes: true, slow: 0.02 })).failures).toEqual([]);
});

test.each([
  ['a drain that read a log before it was made clears no subscription that was put meanwhile', 5209, 0.02],
  ['a handler that saw nothing new does not clear the mark of a drain that was throttled since', 8733, 0.05],
])('%s', async (_, seed, slow) => {
  expect((await runSchedule('log', seed, { repeats: true, slow })).fail).toBeNull();
});

describe('the checks notice a broken rule:', () => {
  const broken: [string, 'state' | 'log', Conditions][] = [
    [
      'a release ignores pokes',
      'log',
      {
        sabotage: (ports) => ({
          ...ports,
          turns: { ...ports.turns, release: (topic, shard, me, done) => ports.turns.release(topic, shard, me, { ...done, pokes: null }) },
        }),
      },
    ],
    [
      'a redelivered event gets a new base',
      'log',
      { sabotage: (ports) => ({ ...ports, topics: { ...ports.topics, eventBase: async (_, __, base) => base } }) },
    ],
    [
      'a subscription is never marked late',
      'log',
      {
        sabotage: (ports) => ({
          ...ports,
          audience: { ...ports.audience, put: (one, at, until) => ports.audience.put({ ...one, late: null }, at, until) },
        }),
      },
    ],
    ['failed records are not retried', 'state', { noRetry: true }],
    [
      'a turn is taken over while it is valid',
      'state',
      {
        sabotage: (ports) => ({
          ...ports,
          turns: { ...ports.turns, poke: async (...parameters) => ({ ...(await ports.turns.poke(...parameters)), untilMs: 0 }) },
        }),
      },
    ],
  ];

  test.each(broken)('%s', { timeout: 600_000 }, async (_, kind, conditions) => {
    const { failures, olderAfterNewer } = await runAll(kind, conditions, 800);

    expect(failures.length + olderAfterNewer).toBeGreaterThan(0);
  });
});
