import { beforeEach, describe, expect, test } from 'vitest';
import { A_DAY, type History } from '../../../core/channels/channel.ts';
import { replayStart } from '../../../core/delivery/replay-start.ts';
import type { TopicState } from '../../../core/ports/topics.ts';
import { type MemoryPorts, memoryPorts } from '../../helpers/ports.ts';

const TOPIC = 'log';
let ports: MemoryPorts;
let looks: number;
beforeEach(() => {
  ports = memoryPorts();
  looks = 0;
  const { committedAfter } = ports.topics;
  ports.topics.committedAfter = (topic, after) => {
    looks++;
    return committedAfter(topic, after);
  };
});

/** Appends these offsets, one each `everyMs`. */
async function append(from: number, to: number, everyMs = 0): Promise<void> {
  for (let offset = from; offset <= to; offset++) {
    ports.clock.nowMs += everyMs;
    await ports.topics.putLog(TOPIC, offset, `e${offset}`, { offset });
  }
}
const stateAt = (head: number): Promise<TopicState> => ports.topics.raiseHead(TOPIC, head);
async function startOf(wanted: { epoch?: string; offset: number } | null, state: TopicState, history: History = A_DAY) {
  const position = wanted && { epoch: state.epoch, ...wanted };
  const { first, ...found } = await replayStart(position, state, history, ports);
  return { ...found, first: first.map(({ offset }) => offset) };
}

describe('without a wanted position', () => {
  test('a replay starts at the head, and there is nothing to replay', async () => {
    await append(1, 3);

    expect(await startOf(null, await stateAt(3))).toEqual({ start: 3, head: 3, whole: false, first: [] });
  });

  test('the head is what follows the hint without a gap', async () => {
    await append(1, 250);
    await append(252, 253);

    expect(await startOf(null, await stateAt(3))).toMatchObject({ start: 250, head: 250 });
  });
});

describe('at a position that is known', () => {
  test('the replay starts after it, and is whole', async () => {
    await append(1, 5);

    expect(await startOf({ offset: 2 }, await stateAt(5))).toEqual({ start: 2, head: 5, whole: true, first: [3, 4, 5] });
  });

  test('at the head nothing is missing', async () => {
    await append(1, 5);

    expect(await startOf({ offset: 5 }, await stateAt(5))).toEqual({ start: 5, head: 5, whole: true, first: [] });
  });

  test('at the hint, one read shows the messages beyond it', async () => {
    await append(1, 5);
    const state = await stateAt(3);
    let reads = 0;
    const { readLog } = ports.topics;
    ports.topics.readLog = (...parameters) => {
      reads++;
      return readLog(...parameters);
    };

    expect(await startOf({ offset: 3 }, state)).toEqual({ start: 3, head: 5, whole: true, first: [4, 5] });
    expect(reads).toBe(1);
  });

  test('before the first, all of the log follows', async () => {
    await append(1, 2);

    expect(await startOf({ offset: 0 }, await stateAt(2))).toEqual({ start: 0, head: 2, whole: true, first: [1, 2] });
  });

  test('of a log that is still empty, there is nothing', async () => {
    const state = await ports.topics.create(TOPIC);

    expect(await startOf({ offset: 0 }, state)).toEqual({ start: 0, head: 0, whole: true, first: [] });
  });

  test('beyond the hint, the head is looked up', async () => {
    await append(1, 5);

    expect(await startOf({ offset: 4 }, await stateAt(2))).toEqual({ start: 4, head: 5, whole: true, first: [5] });
  });

  test('the head includes what the first page has beyond the hint', async () => {
    await append(1, 5);

    expect(await startOf({ offset: 1 }, await stateAt(2))).toEqual({ start: 1, head: 5, whole: true, first: [2, 3, 4, 5] });
  });
});

describe('a replay is not whole', () => {
  test('if the messages after the position were trimmed', async () => {
    await append(4, 5);

    expect(await startOf({ offset: 1 }, await stateAt(5))).toEqual({ start: 1, head: 5, whole: false, first: [4, 5] });
  });

  test('if everything after the position was trimmed', async () => {
    expect(await startOf({ offset: 1 }, await stateAt(5))).toEqual({ start: 1, head: 5, whole: false, first: [] });
  });

  test('if the position is of another epoch: the replay starts at the beginning', async () => {
    await append(1, 3);

    expect(await startOf({ epoch: 'another', offset: 2 }, await stateAt(3))).toEqual({ start: 0, head: 3, whole: false, first: [1, 2, 3] });
    expect(await startOf({ epoch: 'another', offset: 0 }, await stateAt(3))).toMatchObject({ start: 0, whole: false });
  });

  test('if the position lies beyond the head: the replay starts at the beginning', async () => {
    await append(1, 3);

    expect(await startOf({ offset: 4 }, await stateAt(3))).toEqual({ start: 0, head: 3, whole: false, first: [1, 2, 3] });
  });
});

describe('a history', () => {
  test('holds its newest messages without a look at their age', async () => {
    await append(1, 10);
    ports.clock.nowMs += 60_000;
    const history = { messages: 3, ms: 1_000, most: 100 };

    expect(await startOf({ offset: 7 }, await stateAt(10), history)).toMatchObject({ start: 7, whole: true });
    expect(await startOf({ offset: 9 }, await stateAt(10), history)).toMatchObject({ start: 9, whole: true });

    expect(looks).toBe(0);
  });

  test('drops an old message that is not among its newest', async () => {
    await append(1, 10);
    ports.clock.nowMs += 60_000;
    const history = { messages: 3, ms: 1_000, most: 100 };

    expect(await startOf({ offset: 6 }, await stateAt(10), history)).toMatchObject({ start: 7, whole: false });
    expect(looks).toBe(1);
  });

  test('holds a message that is a little younger than its age, and none that has just that age', async () => {
    await append(1, 10);
    const history = { messages: 0, ms: 1_000, most: 100 };

    ports.clock.nowMs += 999;
    expect(await startOf({ offset: 2 }, await stateAt(10), history)).toMatchObject({ start: 2, whole: true });
    ports.clock.nowMs += 1;
    expect(await startOf({ offset: 2 }, await stateAt(10), history)).toMatchObject({ start: 10, whole: false });
  });

  test('starts at the first message that is young enough, found by bisection', async () => {
    await append(1, 1_000, 100);
    // the message at offset n was committed (1000 - n) * 100 ms ago
    const history = { messages: 10, ms: 30_000, most: 10_000 };

    expect(await startOf({ offset: 0 }, await stateAt(1_000), history)).toMatchObject({ start: 700, whole: false });

    expect(looks).toBeLessThanOrEqual(11);
  });

  test('never holds more than its most, however young they are', async () => {
    await append(1, 50);
    const history = { messages: 3, ms: 60_000, most: 20 };

    expect(await startOf({ offset: 0 }, await stateAt(50), history)).toMatchObject({ start: 30, whole: false });
    expect(await startOf({ offset: 30 }, await stateAt(50), history)).toMatchObject({ start: 30, whole: true });
  });
});
