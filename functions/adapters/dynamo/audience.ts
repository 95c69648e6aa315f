import type { Audience, Dialect, SeenLate, Subscription, SubscriptionKey } from '../../../core/ports/audience.ts';
import { environmentNow } from '../clock.ts';
import { expired, type Item, number, text, ttl } from './item.ts';
import { audienceOf, memberKey } from './keys.ts';
import type { Change, Table } from './table.ts';

/** Small enough that posting starts soon; the next page is read meanwhile. */
const PAGE = 500;

/** Expired items that one page deletes: a drain must not be held up by many. */
const PURGED_AT_ONCE = 25;

/** Earlier than every request. */
const NO_REQUEST = 0;

/** A request that was made later than this one has been served already. */
const NOT_OVERTAKEN = 'attribute_not_exists(#requestedAt) OR #requestedAt <= :requestedAt';

/** A subscription, and no tombstone; and not one that is late already and lacks more than this says. */
const LACKS_LESS = 'attribute_exists(#dialect) AND (attribute_not_exists(#late) OR #from >= :from)';

/** Late, by the same mark and where it was last seen: another worker may have caught it up, or marked it late again. */
const LATE_AS_SEEN = '#late = :seenLate AND #from = :seenFrom';

/** The values of LATE_AS_SEEN. No mark is the empty text. */
const asSeen = ({ late, from }: SeenLate) => ({ seenLate: late ?? '', seenFrom: from });

export interface AudienceOptions {
  readonly table: Table;
  readonly now?: () => number;
}

export function dynamoAudience({ table, now = environmentNow }: AudienceOptions): Audience {
  const isThere = (item: Item): boolean => item['ended'] !== true && !expired(item, now());
  /** Whether the condition held. */
  const change = async (key: SubscriptionKey, update: Change): Promise<boolean> => (await table.update(memberKey(key), update)).held;

  const purge = async (items: readonly Item[]): Promise<void> => {
    await Promise.all(
      items.map(({ audience, member }) => table.delete({ audience, member }, { when: '#expiresAt <= :now', values: { now: ttl(now()) } })),
    );
  };

  return {
    async *pages(topic, shard) {
      const range = { where: '#audience = :audience', values: { audience: audienceOf(topic, shard) }, consistent: true, page: PAGE };
      for await (const page of table.query(range)) {
        yield page.filter(isThere).map((item) => subscriptionOf(topic, shard, item));
        // TTL deletes late, and until then every drain would read them
        await purge(page.filter((item) => expired(item, now())).slice(0, PURGED_AT_ONCE));
      }
    },
    async put(subscription, requestedAtMs, expiresAtMs) {
      const { dialect, from, late, notBeforeMs, strikes, filter, registration } = subscription;
      const made = await table.put(
        {
          ...memberKey(subscription),
          dialect,
          from,
          requestedAt: requestedAtMs ?? NO_REQUEST,
          expiresAt: ttl(expiresAtMs),
          ...(late === null ? {} : { late }),
          ...(filter === null ? {} : { filter }),
          ...(registration === null ? {} : { registration }),
          ...(notBeforeMs > 0 ? { notBefore: notBeforeMs, strikes } : {}),
        },
        {
          ...(requestedAtMs === null
            ? { when: 'attribute_not_exists(#requestedAt)' }
            : { when: NOT_OVERTAKEN, values: { requestedAt: requestedAtMs } }),
          returns: 'ALL_OLD',
        },
      );
      if (!made.held) return 'overtaken';
      // what stood there before is not known if an answer was lost: `replaced` makes its caller look again
      if (made.repeated) return requestedAtMs === null ? 'put' : 'replaced';
      return Object.keys(made.item).length > 0 && !expired(made.item, now()) ? 'replaced' : 'put';
    },
    async find(keys) {
      const items = await table.getMany(keys.map(memberKey));
      const nameOf = (key: Item): string => `${text(key, 'audience')} ${text(key, 'member')}`;
      const byKey = new Map(items.filter((item) => !expired(item, now())).map((item) => [nameOf(item), item]));
      return keys.map((key) => {
        const item = byKey.get(nameOf(memberKey(key)));
        if (!item) return null;
        const unasked = number(item, 'requestedAt') === NO_REQUEST;
        return { ...subscriptionOf(key.topic, key.shard, item), ended: item['ended'] === true, unasked };
      });
    },
    async end(key, requestedAtMs, expiresAtMs) {
      const requestedAt = requestedAtMs ?? NO_REQUEST;
      const tombstone = { ...memberKey(key), ended: true, requestedAt, expiresAt: ttl(expiresAtMs) };
      return (await table.put(tombstone, { when: NOT_OVERTAKEN, values: { requestedAt } })).held ? 'ended' : 'overtaken';
    },
    async caughtUp(seen, head) {
      await change(seen, {
        set: { from: head },
        remove: ['late', 'notBefore', 'strikes'],
        // it never goes backwards
        when: `${LATE_AS_SEEN} AND #from <= :from`,
        values: asSeen(seen),
      });
    },
    async markLate(key, from, mark) {
      await change(key, { set: { late: mark, from }, when: LACKS_LESS });
    },
    async passOver(seen, from, { notBeforeMs, strikes, mark }) {
      await change(seen, {
        set: { late: mark, from, notBefore: notBeforeMs, strikes },
        // a late one that is being caught up has moved on by what it got
        when: `${LACKS_LESS} OR (${LATE_AS_SEEN})`,
        values: asSeen(seen),
      });
    },
    renew: (key, filter, requestedAtMs) =>
      change(key, {
        set: { requestedAt: requestedAtMs, ...(filter === null ? {} : { filter }) },
        ...(filter === null ? { remove: ['filter'] } : {}),
        when: 'attribute_exists(#dialect) AND #requestedAt <= :requestedAt',
      }),
    advance: (seen, to) => change(seen, { set: { from: to }, when: LATE_AS_SEEN, values: asSeen(seen) }),
    async forgetRegistration(key) {
      await change(key, { remove: ['registration'], when: 'attribute_exists(#registration)' });
    },
    async remove(key) {
      await table.delete(memberKey(key));
    },
  };
}

function subscriptionOf(topic: string, shard: number, item: Item): Subscription {
  const [connectionId = '', ...subscriptionId] = text(item, 'member').split('#');
  return {
    topic,
    shard,
    connectionId,
    subscriptionId: subscriptionId.join('#'),
    dialect: (text(item, 'dialect') || 'json') as Dialect,
    from: number(item, 'from'),
    late: text(item, 'late') || null,
    notBeforeMs: number(item, 'notBefore'),
    strikes: number(item, 'strikes'),
    filter: Array.isArray(item['filter']) ? (item['filter'] as string[]) : null,
    registration: text(item, 'registration') || null,
  };
}
