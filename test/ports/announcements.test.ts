import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fresh, opened } from './fixtures.ts';
import { implementations, type Tables } from './implementations.ts';

describe.each(implementations)('%s', (_, make) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await make();
  });
  afterAll(() => tables.stop());
  const later = (): number => tables.clock.now() + 3_600_000;

  test('keep the default subscriptions until the client chooses, and go with the connection', async () => {
    const [a, b] = [fresh('connection'), fresh('connection')];
    await tables.connections.open(opened(a));
    await tables.connections.open(opened(b));
    const said = { clientId: 'dashboard', info: { language: 'ko' } };

    expect(await tables.announcements.announce(a, said, 'all', later())).toEqual({ announced: 'dashboard', defaults: 'all' });
    expect(await tables.announcements.announce(a, { ...said, clientId: 'another' }, 'chosen', later())).toEqual({
      announced: 'dashboard',
      defaults: 'all',
    });
    expect(await tables.connections.read(a)).toMatchObject({ announced: 'dashboard', defaults: 'all' });
    expect(await tables.announcements.chooseUnlessAll(a)).toBe(false);
    await tables.announcements.choose(a);
    expect(await tables.announcements.chooseUnlessAll(a)).toBe(true);
    expect(await tables.announcements.announce(a, said, 'all', later())).toMatchObject({ defaults: 'chosen' });
    expect(await tables.announcements.chooseUnlessAll(b)).toBe(true);
    expect(await tables.announcements.announce(b, said, 'all', later())).toMatchObject({ defaults: 'chosen' });
    expect(await tables.announcements.announce(fresh('nobody'), said, 'all', later())).toBeNull();
    expect(await tables.announcements.chooseUnlessAll(fresh('nobody'))).toBe(false);
    await tables.announcements.choose(fresh('nobody'));

    expect(await tables.connections.close(a)).toMatchObject({ announced: 'dashboard' });
    expect(await tables.connections.read(a)).toBeNull();
  });
});
