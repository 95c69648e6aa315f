/** One service's supervision: wishes and deaths in any order, on a clock that is moved by hand. */
import { beforeEach, describe, expect, test } from 'vitest';
import { makeLevers } from '../../../../local/base/levers.ts';
import { type Change, type Runner, type Service, superviseService } from '../../../../systems/operations/agent/services/service.ts';

let nowMs: number;
let changes: Change[];
let failing: boolean[];
/** Whether it should run, as it was noted. */
let notes: boolean[];
let service: Service;
let world: ReturnType<typeof makeWorld>;

/** Processes that obey. At most one may run. */
function makeWorld() {
  let serial = 100;
  const my = { pid: null as number | null, refuses: false, overlaps: 0, stops: [] as number[], left: 0 };
  const later = async (): Promise<void> => {
    for (let turns = 0; turns < 3; turns++) await Promise.resolve();
  };
  const runner: Runner = {
    async start() {
      if (my.pid !== null) my.overlaps++;
      await later();
      if (my.refuses) throw new Error('no such program');
      my.pid = ++serial;
      return my.pid;
    },
    async stop(graceMs) {
      my.stops.push(graceMs);
      await later();
      if (my.left === 0) my.pid = null;
      return { killed: graceMs === 0, escaped: 0, left: my.left };
    },
    pid: async () => my.pid,
    ending: () => null,
  };
  return Object.assign(my, { runner });
}

beforeEach(() => {
  [nowMs, changes, failing, notes] = [1_000_000, [], [], []];
  world = makeWorld();
  begin(true);
});
const begin = (wanted: boolean): void => {
  service = superviseService('news', wanted, {
    runner: world.runner,
    now: () => nowMs,
    random: () => 1,
    noteWanted: async (is) => void notes.push(is),
    changed: (change) => void changes.push(change),
    failing: (is) => void failing.push(is),
  });
};
const types = (): string[] => changes.map(({ type }) => type);
/** Looks once a second. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    nowMs += 1_000;
    await service.look();
  }
}
const ask = (action: 'start' | 'stop' | 'restart', graceMs = 5_000) => service.ask({ action, graceMs, commandId: `c-${action}` });

test('a service that is wanted is started with the agent; one that runs already is taken over', async () => {
  await pass(1);
  expect(changes).toMatchObject([{ type: 'started', status: 'running', pid: 101, commandId: null }]);
  begin(true);
  await pass(3);
  expect([world.pid, types()]).toEqual([101, ['started', 'started']]);
  expect(changes[1]).toMatchObject({ message: 'news runs', pid: 101 });
});

test('one that is not wanted is left alone, and announced: what was never heard of cannot be started', async () => {
  begin(false);
  await pass(3);
  expect(world.pid).toBeNull();
  expect(changes).toMatchObject([{ type: 'stopped', message: 'news does not run', pid: null }]);
});

test('restart runs a new process, and tells it with the command', async () => {
  await pass(1);
  await ask('restart');
  expect(changes.at(-1)).toMatchObject({ type: 'restarted', pid: 102, commandId: 'c-restart' });
  expect(world.stops).toEqual([5_000]);
});

test('stop and start are done once, and say so when nothing was to do', async () => {
  await pass(1);
  await ask('start');
  expect(changes.at(-1)).toMatchObject({ type: 'started', pid: 101, message: 'news runs already', commandId: 'c-start' });
  await ask('stop', 0);
  expect(changes.at(-1)).toMatchObject({ type: 'stopped', status: 'stopped', pid: null, message: expect.stringContaining('killed') });
  await ask('stop');
  expect(changes.at(-1)).toMatchObject({ type: 'stopped', message: 'news does not run' });
  await pass(100);
  expect(world.pid).toBeNull();
  expect(notes).toEqual([true, false, false]);
});

test('a command that had to wait beyond its time changes nothing, and is answered so', async () => {
  await pass(1);
  let isExpired = false;
  const first = ask('stop');
  const second = service.ask({ action: 'start', graceMs: 0, commandId: 'late', isExpired: () => isExpired });
  isExpired = true;
  await Promise.all([first, second]);
  expect(changes.at(-1)).toMatchObject({
    type: 'error',
    status: 'stopped',
    commandId: 'late',
    message: expect.stringContaining('too long'),
  });
  expect([world.pid, notes]).toEqual([null, [false]]);
});

describe('a service that dies', () => {
  test('is started again, and is reported: error, then recovered', async () => {
    await pass(1);
    world.pid = null;
    await pass(1);
    expect(types()).toEqual(['started', 'error']);
    await pass(10);
    expect(world.pid).toBe(102);
    expect(types()).toEqual(['started', 'error', 'recovered']);
  });

  test('again and again is tried ever more slowly, for ever, and somebody is told once', async () => {
    await pass(1);
    const starts: number[] = [];
    for (let second = 0; second < 1_800; second++) {
      if (world.pid !== null) {
        world.pid = null;
        starts.push(nowMs);
      }
      await pass(1);
    }
    expect(starts.length).toBeLessThan(45);
    expect((starts.at(-1) ?? 0) - (starts.at(-2) ?? 0)).toBeLessThanOrEqual(63_000);
    expect(nowMs - (starts.at(-1) ?? 0)).toBeLessThan(70_000);
    expect(failing).toEqual([true]);
    await pass(130);
    expect(failing).toEqual([true, false]);
    // its deaths are forgotten: the next start is soon
    world.pid = null;
    await pass(3);
    expect(world.pid).not.toBeNull();
  });

  test('because it cannot be started is the same', async () => {
    world.refuses = true;
    await pass(3);
    expect(changes[0]).toMatchObject({ type: 'error', status: 'failed', message: expect.stringContaining('no such program') });
    world.refuses = false;
    await pass(20);
    expect(types().at(-1)).toBe('recovered');
  });

  test('is not started by itself once it was stopped: stop ends the pause', async () => {
    await pass(1);
    world.pid = null;
    await pass(1);
    await ask('stop');
    await pass(120);
    expect([world.pid, types()]).toEqual([null, ['started', 'error', 'stopped']]);
  });
});

test('what is wanted is started again, even if a command failed half-way', async () => {
  await pass(1);
  world.pid = null;
  await service.look();
  const { pid } = world.runner;
  world.runner.pid = async () => Promise.reject(new Error('systemctl does not answer'));
  await expect(ask('start')).rejects.toThrow('systemctl does not answer');
  world.runner.pid = pid;

  await pass(1);

  expect(world.pid).toBe(102);
});

test('what cannot be stopped is an error, and no second copy is started', async () => {
  await pass(1);
  world.left = 2;
  await ask('restart');
  expect(changes.at(-1)).toMatchObject({ type: 'error', commandId: 'c-restart', message: expect.stringContaining('2 of its processes') });
  expect(world.overlaps).toBe(0);
});

test.each(Array.from({ length: 40 }, (_, seed) => seed + 1))(
  'wishes, deaths and looks in any order: never two copies, and the last wish holds (seed %i)',
  async (seed) => {
    const { random } = makeLevers(seed);
    const pending: Promise<void>[] = [];
    let last = 'start';
    let wishes = 0;
    for (let step = 0; step < 60; step++) {
      const dice = random();
      if (dice < 0.4) {
        last = (['start', 'stop', 'restart'] as const)[Math.floor(random() * 3)] ?? 'start';
        wishes++;
        pending.push(ask(last as 'start', random() < 0.3 ? 0 : 5_000));
      } else if (dice < 0.6) world.pid = null;
      else {
        nowMs += Math.floor(random() * 5_000);
        pending.push(service.look());
      }
      if (random() < 0.3) await Promise.all(pending.splice(0));
    }
    await Promise.all(pending);
    await pass(120);
    expect(world.overlaps).toBe(0);
    expect(world.pid !== null).toBe(last !== 'stop');
    // each wish has one outcome
    expect(changes.filter(({ commandId }) => commandId !== null).length).toBe(wishes);
  },
);
