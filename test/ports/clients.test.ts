import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fresh } from './fixtures.ts';
import { implementations, type Tables } from './implementations.ts';

describe.each(implementations)('%s', (_, make) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await make();
  });
  afterAll(() => tables.stop());

  const one = (connectedAtMs: number) => ({ connectionId: fresh('connection'), connectedAtMs });

  test('know their connections until they leave, or can be there no longer', async () => {
    const client = fresh('user#somebody#');
    const [a, b] = [one(1_000), one(2_000)];
    const names = async (member: typeof a, nowMs: number) =>
      (await tables.clients.enter(client, member, nowMs)).map(({ connectionId }) => connectionId).sort();

    expect(await tables.clients.enter(client, a, 1_000)).toEqual([a]);
    expect(await names(b, 2_000)).toEqual([a.connectionId, b.connectionId].sort());
    expect(await names(b, 2_000)).toHaveLength(2);
    await tables.clients.leave(client, a);
    await tables.clients.leave(client, a);
    expect(await names(b, 3_000)).toEqual([b.connectionId]);
    expect(await tables.clients.members(client)).toEqual([b]);
    await tables.clients.leave(client, b);
    await tables.clients.leave(fresh('nobody'), b);
    expect(await tables.clients.members(client)).toEqual([]);

    const later = one(9_000_000);
    await tables.clients.enter(client, a, 1_000);
    expect(await tables.clients.enter(client, later, 9_000_000)).toEqual([later]);
  });
});
