import type { Connection, Connections, Touch, TouchRequest } from '../../../core/ports/connections.ts';
import { environmentNow } from '../clock.ts';
import { addTimes, countIn, firstTimes, pacedTimes, staleCount } from './arrival.ts';
import { connectionCounter } from './connection-counter.ts';
import { connectionOf, sweptOf } from './connection-items.ts';
import { type Item, number, ttl } from './item.ts';
import { infoKey, selfKey } from './keys.ts';
import { computed, type Table } from './table.ts';

export interface ConnectionsOptions {
  readonly table: Table;
  readonly now?: () => number;
}

/** The record is there. */
export const EXISTS = 'attribute_exists(#connectionId)';

/** Of two CONNECTs the first counts. A JSON connection is admitted by its handshake, and becomes one of STOMP by its first frame. */
const ADMITTED_ONCE = `${EXISTS} AND (attribute_not_exists(#admitted) OR #dialect = :json)`;

export function dynamoConnections({ table, now = environmentNow }: ConnectionsOptions): Connections {
  const counter = connectionCounter(table, now);
  const read = async (connectionId: string): Promise<Connection | null> => {
    const item = await table.get(selfKey(connectionId));
    return item && connectionOf(item);
  };
  const setOnSelf = async (connectionId: string, set: Item): Promise<void> => {
    await table.update(selfKey(connectionId), { set, when: EXISTS });
  };

  const touch = async (connectionId: string, request: TouchRequest): Promise<Touch | null> => {
    const { atMs, nowMs, pong, subscribes, weight, pace } = request;
    const arrival = pace === null ? addTimes(atMs, weight) : pacedTimes(atMs, pace);
    const made = await table.update(selfKey(connectionId), {
      set: {
        ...arrival.set,
        touchedAt: atMs,
        greetedAt: computed('if_not_exists(#greetedAt, :nowMs)'),
        ...(pong ? { pongedAt: atMs } : {}),
      },
      add: { ...arrival.add, subscribes },
      when: arrival.when === null ? EXISTS : `${EXISTS} AND ${arrival.when}`,
      values: { ...arrival.values, nowMs },
      returns: 'ALL_OLD',
    });
    if (!made.held) {
      if (arrival.when === null) return null;
      // not every database returns the item with the refusal
      const connection = made.item ? connectionOf(made.item) : await read(connectionId);
      return connection && { connection, greet: false, inThisSecond: 0, tooFast: true, subscribes: 0 };
    }
    // of a write whose answer was lost, the item is what it made, and not what stood there before
    const { item, repeated } = made;
    const stale = pace === null && !repeated ? staleCount(item, atMs) : null;
    if (stale) await table.update(selfKey(connectionId), { add: { [stale.slot]: -stale.count }, when: EXISTS });
    const greet = repeated ? item['greetedAt'] === nowMs : item['greetedAt'] === undefined;
    return {
      connection: { ...connectionOf(item), touchedAtMs: atMs, ...(greet ? { greetedAtMs: nowMs } : {}) },
      greet,
      inThisSecond: pace === null ? countIn(item, atMs) + (repeated ? 0 : weight) : 0,
      tooFast: false,
      subscribes: number(item, 'subscribes') + (repeated ? 0 : subscribes),
    };
  };

  return {
    touch,
    read,
    async open({ connectionId, clientId, dialect, connectedAtMs, expiresAtMs, sourceIp, principal, admitted }, most = 0) {
      const put = () =>
        table.put({
          ...selfKey(connectionId),
          clientId,
          dialect,
          connectedAt: connectedAtMs,
          expiresAt: ttl(expiresAtMs),
          sourceIp,
          ...(admitted ? { admitted } : {}),
          ...(principal ? { principal } : {}),
          ...firstTimes,
        });
      if (most > 0 && !(await counter.take(connectionId, most))) return false;
      try {
        await Promise.all([put(), most > 0 ? null : counter.add(connectionId, 1)]);
      } catch (error) {
        await Promise.all([table.delete(selfKey(connectionId)), counter.add(connectionId, -1)]);
        throw error;
      }
      return true;
    },
    async claimGreeting(connectionId, atMs) {
      const { held, item } = await table.update(selfKey(connectionId), {
        set: { greetedAt: atMs },
        when: `${EXISTS} AND attribute_not_exists(#greetedAt)`,
        returns: 'ALL_NEW',
      });
      return held ? connectionOf(item) : null;
    },
    async admit(connectionId, { dialect, principal }) {
      const { held } = await table.update(selfKey(connectionId), {
        set: { dialect, admitted: true, ...(principal ? { principal } : {}) },
        when: ADMITTED_ONCE,
        values: { json: 'json' },
      });
      return held;
    },
    async spend(connectionId, topics, nowMs, { most, perSecond }) {
      const key = selfKey(connectionId);
      if (topics > most) return false;
      const costMs = Math.ceil((topics * 1000) / perSecond);
      // `fullAt`: when the allowance is whole again
      const whole = await table.update(key, {
        set: { fullAt: nowMs + costMs },
        when: `${EXISTS} AND (attribute_not_exists(#fullAt) OR #fullAt <= :now)`,
        values: { now: nowMs },
      });
      if (whole.held) return true;
      const part = await table.update(key, {
        add: { fullAt: costMs },
        when: `${EXISTS} AND #fullAt <= :latest`,
        values: { latest: nowMs + Math.floor((most * 1000) / perSecond) - costMs },
      });
      return part.held;
    },
    renew: (connectionId, principal) => setOnSelf(connectionId, { principal }),
    refuse: (connectionId, atMs) => setOnSelf(connectionId, { refusedAt: atMs }),
    resetSubscribes: (connectionId, subscribes) => setOnSelf(connectionId, { subscribes }),
    pinged: (connectionId, atMs) => setOnSelf(connectionId, { pingedAt: atMs }),
    delivered: (connectionId, atMs) => setOnSelf(connectionId, { deliveredAt: atMs }),
    async close(connectionId) {
      const { item } = await table.delete(selfKey(connectionId), { returns: 'ALL_OLD' });
      if (!item || Object.keys(item).length === 0) return null;
      const connection = connectionOf(item);
      await Promise.all([counter.add(connectionId, -1), connection.announced === null ? null : table.delete(infoKey(connectionId))]);
      return connection;
    },
    counted: counter.counted,
    recount: counter.recount,
    async *scan(segment, segments) {
      for await (const page of table.scan(segment, segments)) yield page.flatMap((item) => sweptOf(item, now()));
    },
  };
}
