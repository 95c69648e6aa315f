import { beforeEach, describe, expect, test } from 'vitest';
import { type HeldTurn, takeTurn } from '../../../core/delivery/turn.ts';
import { TurnLostError } from '../../../core/errors.ts';
import { type MemoryPorts, memoryPorts } from '../../helpers/ports.ts';

const SETTINGS = { turnMs: 10_000, marginMs: 4_000 };
const TOPIC = 't';
let ports: MemoryPorts;
/** When the table was asked to extend the turn, and until when. */
let extended: { atMs: number; untilMs: number }[];
let startMs: number;
beforeEach(() => {
  ports = memoryPorts();
  extended = [];
  startMs = ports.clock.now();
  const { extend } = ports.turns;
  ports.turns.extend = async (topic, shard, me, untilMs) => {
    extended.push({ atMs: ports.clock.now() - startMs, untilMs: untilMs - startMs });
    return extend(topic, shard, me, untilMs);
  };
});
const take = () => takeTurn(TOPIC, 0, ports, SETTINGS);
const taken = async (): Promise<HeldTurn> => (await take()) as HeldTurn;
/** Goes to a time after the start. */
const at = (ms: number): void => {
  ports.clock.nowMs = startMs + ms;
};

describe('taking a turn', () => {
  test('that is free succeeds, until it would end', async () => {
    const turn = await taken();

    expect(turn.takenOver).toBe(false);
    expect(turn.first).toMatchObject({ holder: turn.me, untilMs: startMs + 10_000, pokes: 1 });
  });

  test('that another worker holds fails, and pokes it', async () => {
    await taken();
    at(9_999);

    expect(await take()).toBeNull();
    expect(await ports.turns.read(TOPIC, 0)).toMatchObject({ pokes: 2 });
  });

  test('that has just ended takes it over', async () => {
    const dead = await taken();
    at(10_000);
    const turn = await taken();

    expect(turn.takenOver).toBe(true);
    expect(turn.me).not.toBe(dead.me);
    expect(turn.first).toMatchObject({ holder: turn.me, untilMs: startMs + 20_000, pokes: 2 });
  });

  test('that another worker takes over first fails', async () => {
    await taken();
    at(10_000);
    ports.turns.takeOver = async () => null;

    expect(await take()).toBeNull();
  });

  test('counts its time from the takeover, not from the look before it', async () => {
    await taken();
    at(10_000);
    const { poke } = ports.turns;
    ports.turns.poke = async (...parameters) => {
      const seen = await poke(...parameters);
      ports.clock.nowMs += 3_000;
      return seen;
    };

    expect((await taken()).first.untilMs).toBe(startMs + 23_000);
  });
});

describe('holding a turn', () => {
  test('costs nothing in its first half', async () => {
    const turn = await taken();
    at(4_999);
    await turn.hold();

    expect(extended).toEqual([]);
  });

  test('extends it from its half on', async () => {
    const turn = await taken();
    at(5_000);
    await turn.hold();
    at(9_999);
    await turn.hold();
    at(10_000);
    await turn.hold();

    expect(extended).toEqual([
      { atMs: 5_000, untilMs: 15_000 },
      { atMs: 10_000, untilMs: 20_000 },
    ]);
    expect(await ports.turns.read(TOPIC, 0)).toMatchObject({ untilMs: startMs + 20_000 });
  });

  test('extends it once for all that wait at the same time', async () => {
    const turn = await taken();
    at(6_000);
    await Promise.all([turn.hold(), turn.hold(), turn.hold()]);

    expect(extended).toHaveLength(1);
  });

  test('succeeds a millisecond before its end', async () => {
    const turn = await taken();
    at(9_999);
    await turn.hold();

    expect(extended).toEqual([{ atMs: 9_999, untilMs: 19_999 }]);
  });

  test('fails at its end, without asking the table: another worker may have posted already', async () => {
    const turn = await taken();
    at(10_000);

    await expect(turn.hold()).rejects.toThrow(TurnLostError);

    expect(extended).toEqual([]);
  });

  test('fails if another worker took it', async () => {
    const turn = await taken();
    const { turns } = ports;
    const seen = await turns.read(TOPIC, 0);
    if (seen) await turns.takeOver(TOPIC, 0, seen, 'another', startMs + 99_000);
    at(5_000);

    await expect(turn.hold()).rejects.toThrow(`the turn on ${TOPIC} was lost`);
  });

  test('fails if the extension took so long that a post would not fit any more', async () => {
    const turn = await taken();
    const { extend } = ports.turns;
    const taking = (ms: number) => {
      ports.turns.extend = async (...parameters) => {
        const held = await extend(...parameters);
        ports.clock.nowMs += ms;
        return held;
      };
    };

    at(5_000);
    taking(5_999);
    await turn.hold();
    at(10_000);
    taking(6_000);
    await expect(turn.hold()).rejects.toThrow(TurnLostError);
  });

  test('asks again after an extension that failed', async () => {
    const turn = await taken();
    const { extend } = ports.turns;
    ports.turns.extend = () => Promise.reject(new Error('the table is busy'));
    at(6_000);
    await expect(turn.hold()).rejects.toThrow('the table is busy');
    ports.turns.extend = extend;

    await turn.hold();

    expect(extended).toEqual([{ atMs: 6_000, untilMs: 16_000 }]);
  });

  test('knows of an extension that another request made', async () => {
    const turn = await taken();
    at(7_000);
    const untilMs = turn.nextUntilMs();
    turn.heldUntil(untilMs);
    at(11_999);
    await turn.hold();

    expect(untilMs).toBe(startMs + 17_000);
    expect(extended).toEqual([]);
  });
});
