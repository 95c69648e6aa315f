import type { Announcements } from '../../../core/ports/announcements.ts';
import type { Connection, Connections, Swept } from '../../../core/ports/connections.ts';
import type { OwnSubscription, OwnSubscriptions } from '../../../core/ports/own-subscriptions.ts';
import { nameOf } from './audience.ts';

/** The three ports of the connections table share their records. */
export function memoryConnections(): { connections: Connections; ownSubscriptions: OwnSubscriptions; announcements: Announcements } {
  type Stored = Connection & { times: number[]; paced: number[]; subscribes: number; greeted: boolean; fullAtMs: number };
  const records = new Map<string, Stored>();
  const subscriptions = new Map<string, Map<string, { key: OwnSubscription; atMs: number }>>();
  let count = 0;
  let sinceMs: number | null = null;
  const change = (connectionId: string, over: Partial<Stored>): void => {
    const record = records.get(connectionId);
    if (record) records.set(connectionId, { ...record, ...over });
  };
  const ofConnection = (connectionId: string) => {
    const own = subscriptions.get(connectionId) ?? new Map<string, { key: OwnSubscription; atMs: number }>();
    subscriptions.set(connectionId, own);
    return own;
  };
  const connectionOf = ({ times: _, paced: __, subscribes: ___, greeted: ____, fullAtMs: _____, ...connection }: Stored): Connection =>
    connection;
  const connections: Connections = {
    async open(connection, most = 0) {
      if (most > 0 && count >= most) return false;
      records.set(connection.connectionId, {
        ...connection,
        touchedAtMs: 0,
        announced: null,
        defaults: null,
        greetedAtMs: 0,
        pingedAtMs: 0,
        pongedAtMs: 0,
        refusedAtMs: 0,
        deliveredAtMs: 0,
        fullAtMs: 0,
        times: [],
        paced: [],
        subscribes: 0,
        greeted: false,
      });
      sinceMs ??= connection.connectedAtMs;
      count++;
      return true;
    },
    async touch(connectionId, { atMs, nowMs, pong, subscribes, weight, pace }) {
      const record = records.get(connectionId);
      if (!record) return null;
      if (pace !== null && (record.paced.at(-pace) ?? 0) > atMs - 1000)
        return { connection: connectionOf(record), greet: false, inThisSecond: 0, tooFast: true, subscribes: 0 };
      const greet = !record.greeted;
      const times = [...record.times, ...Array.from({ length: pace === null ? weight : 0 }, () => atMs)];
      const changed = {
        ...record,
        times,
        paced: pace === null ? record.paced : [...record.paced, atMs],
        greeted: true,
        touchedAtMs: atMs,
        subscribes: record.subscribes + subscribes,
        ...(greet ? { greetedAtMs: nowMs } : {}),
        ...(pong ? { pongedAtMs: atMs } : {}),
      };
      records.set(connectionId, changed);
      const second = Math.floor(atMs / 1000);
      return {
        connection: connectionOf(changed),
        greet,
        inThisSecond: pace === null ? times.filter((time) => Math.floor(time / 1000) === second).length : 0,
        tooFast: false,
        subscribes: changed.subscribes,
      };
    },
    async spend(connectionId, topics, nowMs, { most, perSecond }) {
      const record = records.get(connectionId);
      const fullAtMs = Math.max(record?.fullAtMs ?? 0, nowMs) + (topics * 1000) / perSecond;
      if (!record || fullAtMs > nowMs + (most * 1000) / perSecond) return false;
      change(connectionId, { fullAtMs });
      return true;
    },
    async renew(connectionId, principal) {
      change(connectionId, { principal });
    },
    async refuse(connectionId, atMs) {
      change(connectionId, { refusedAtMs: atMs });
    },
    async claimGreeting(connectionId, atMs) {
      const record = records.get(connectionId);
      if (!record || record.greeted) return null;
      change(connectionId, { greeted: true, greetedAtMs: atMs });
      return connectionOf(records.get(connectionId) as Stored);
    },
    async read(connectionId) {
      const record = records.get(connectionId);
      return record ? connectionOf(record) : null;
    },
    async admit(connectionId, { dialect, principal }) {
      const before = records.get(connectionId);
      if (!before || (before.admitted && before.dialect !== 'json')) return false;
      change(connectionId, { dialect, admitted: true, ...(principal ? { principal } : {}) });
      return true;
    },
    async resetSubscribes(connectionId, subscribes) {
      change(connectionId, { subscribes });
    },
    async close(connectionId) {
      const record = records.get(connectionId);
      if (!record) return null;
      records.delete(connectionId);
      count--;
      return connectionOf(record);
    },
    counted: async () => ({ count: Math.max(0, count), sinceMs }),
    async recount() {
      const before = count;
      return async (found) => {
        if (found < Math.min(before, count)) count += found - Math.min(before, count);
        else if (found > Math.max(before, count)) count += found - Math.max(before, count);
      };
    },
    async pinged(connectionId, atMs) {
      change(connectionId, { pingedAtMs: atMs });
    },
    async delivered(connectionId, atMs) {
      change(connectionId, { deliveredAtMs: atMs });
    },
    async *scan(segment) {
      if (segment !== 0) return;
      const swept: Swept[] = [...records.values()].map((record) => ({ kind: 'connection', connection: connectionOf(record) }));
      for (const own of subscriptions.values())
        for (const { key, atMs } of own.values()) {
          const { unasked: _, ...name } = key;
          swept.push({ kind: 'subscription', key: name, atMs });
        }
      yield swept;
    },
  };
  const ownSubscriptions: OwnSubscriptions = {
    async add(key, atMs, _, unasked = false) {
      if (unasked && ofConnection(key.connectionId).has(nameOf(key))) return;
      ofConnection(key.connectionId).set(nameOf(key), {
        key: { topic: key.topic, shard: key.shard, connectionId: key.connectionId, subscriptionId: key.subscriptionId, unasked },
        atMs,
      });
    },
    async claim(key, atMs) {
      const own = ofConnection(key.connectionId);
      const taken = [...own.values()].some(
        (one) => one.key.subscriptionId === key.subscriptionId && (key.subscriptionId !== '' || one.key.topic === key.topic),
      );
      if (taken) return false;
      const { topic, shard, connectionId, subscriptionId } = key;
      own.set(nameOf(key), { key: { topic, shard, connectionId, subscriptionId, unasked: false }, atMs });
      return true;
    },
    async remove(key, only) {
      const there = ofConnection(key.connectionId).get(nameOf(key));
      if (only === 'unasked' ? !there?.key.unasked : only && there && there.atMs > only.askedBy) return;
      ofConnection(key.connectionId).delete(nameOf(key));
    },
    async list(connectionId, subscriptionId) {
      const keys = [...ofConnection(connectionId).values()].map(({ key }) => key);
      return keys.filter((key) => subscriptionId === undefined || key.subscriptionId === subscriptionId);
    },
  };
  const announcements: Announcements = {
    async announce(connectionId, { clientId }, defaults) {
      const record = records.get(connectionId);
      if (!record) return null;
      const stands = { announced: record.announced ?? clientId, defaults: record.defaults ?? defaults };
      change(connectionId, stands);
      return stands;
    },
    async chooseUnlessAll(connectionId) {
      const record = records.get(connectionId);
      if (!record || record.defaults === 'all') return false;
      change(connectionId, { defaults: 'chosen' });
      return true;
    },
    async choose(connectionId) {
      change(connectionId, { defaults: 'chosen' });
    },
  };
  return { connections, ownSubscriptions, announcements };
}
