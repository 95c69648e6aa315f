import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fresh } from './fixtures.ts';
import { implementations, type Tables } from './implementations.ts';

const keepers = implementations.flatMap(([name, make]) =>
  (['registrations', 'places'] as const).map((keeper) => [keeper, name, make] as const),
);

describe.each(keepers)('%s in %s', (keeper, _, make) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await make();
  });
  afterAll(() => tables.stop());
  const later = (): number => tables.clock.now() + 3_600_000;

  const at = (offset: number, stamp = 's') => ({ position: { epoch: 'e', offset }, stamp });

  test('stay where they were first made, under the newest stamp, and never lapse sooner', async () => {
    const topic = fresh('topic');
    const now = tables.clock.now();

    await tables[keeper].register(topic, at(3, 'first'), now + 10_000);
    await tables[keeper].register(topic, at(9, 'second'), now + 60_000);
    expect(await tables[keeper].find(topic)).toEqual({ ...at(3, 'second'), expiresAtMs: now + 60_000 });
    await tables[keeper].register(topic, at(10, 'third'), now + 20_000);
    tables.clock.nowMs = now + 30_000;
    expect(await tables[keeper].find(topic)).toMatchObject(at(3, 'second'));
    tables.clock.nowMs = now + 61_000;
    expect(await tables[keeper].find(topic)).toBeNull();
    await tables[keeper].register(topic, at(12), now + 90_000);

    expect(await tables[keeper].find(topic)).toMatchObject(at(12));
    tables.clock.nowMs = now;
  });

  test('are used up by their stamp, and removed by any', async () => {
    const topic = fresh('topic');
    await tables[keeper].register(topic, at(3, 'first'), later());

    await tables[keeper].useUp(topic, 'another');
    expect(await tables[keeper].find(topic)).toMatchObject(at(3, 'first'));
    await tables[keeper].useUp(topic, 'first');
    expect(await tables[keeper].find(topic)).toBeNull();
    await tables[keeper].register(topic, at(4, 'second'), later());
    await tables[keeper].remove(topic);
    await tables[keeper].remove(topic);

    expect(await tables[keeper].find(topic)).toBeNull();
  });
});
