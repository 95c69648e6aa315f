import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TICKET_REUSE_MS } from '../../core/ports/tickets.ts';
import { fresh } from './fixtures.ts';
import { implementations, type Tables } from './implementations.ts';

const HOLDER = { userId: 'u', roles: ['ops:read'], issuedAtMs: 5_000 };
const STREAM = { path: '/stream', url: '/stream?userId=1' };
const SOCKET = { path: '/ws', url: null };
const NOW = 1_000_000;

describe.each(implementations)('%s', (_, make) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await make();
  });
  afterAll(() => tables.stop());

  const issued = async (path: string | null = null): Promise<string> => {
    const ticket = fresh('ticket');
    await tables.tickets.issue(ticket, HOLDER, path, NOW);
    return ticket;
  };

  test('open once, for the first of several at the same moment', async () => {
    const ticket = await issued();
    const redeemed = await Promise.all(Array.from({ length: 5 }, () => tables.tickets.redeem({ ticket, ...SOCKET }, NOW)));

    expect(redeemed.filter((holder) => holder !== null)).toEqual([HOLDER]);
  });

  test('open a stream again for 15 minutes, at the same address and no other', async () => {
    const ticket = await issued();

    expect(await tables.tickets.redeem({ ticket, ...STREAM }, NOW)).toEqual(HOLDER);
    expect(await tables.tickets.redeem({ ticket, ...STREAM }, NOW + TICKET_REUSE_MS - 1)).toEqual(HOLDER);
    expect(await tables.tickets.redeem({ ticket, ...STREAM, url: '/stream?userId=2' }, NOW + 1)).toBeNull();
    expect(await tables.tickets.redeem({ ticket, ...SOCKET }, NOW + 1)).toBeNull();
    expect(await tables.tickets.redeem({ ticket, ...STREAM }, NOW + TICKET_REUSE_MS)).toBeNull();
  });

  test('lapse after 30 seconds without use', async () => {
    expect(await tables.tickets.redeem({ ticket: await issued(), ...STREAM }, NOW + 30_000)).toBeNull();
    expect(await tables.tickets.redeem({ ticket: await issued(), ...SOCKET }, NOW + 29_999)).toEqual(HOLDER);
  });

  test('for one path open no other, and are not used up by the try', async () => {
    const ticket = await issued('/ws');

    expect(await tables.tickets.redeem({ ticket, ...STREAM }, NOW)).toBeNull();
    expect(await tables.tickets.redeem({ ticket, ...SOCKET }, NOW)).toEqual(HOLDER);
    expect(await tables.tickets.redeem({ ticket: fresh('nobody-s'), ...SOCKET }, NOW)).toBeNull();
  });

  test('a revocation never moves backwards', async () => {
    const user = fresh('user');
    expect(await tables.revocations.before(user)).toBeNull();
    await tables.revocations.revoke(user, 7_000);
    await tables.revocations.revoke(user, 3_000);

    expect(await tables.revocations.before(user)).toBe(7_000);
  });
});
