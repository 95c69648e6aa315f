/** The ports in memory: what the tables promise, without the tables. Windows like `posted`, levers like `gone`. */

import { expiryOf, LOG_LIFE_MS } from '../../core/base/lifetimes.ts';
import type { Bodies, Body } from '../../core/delivery/large-messages.ts';
import type {
  Acceptance,
  Audience,
  Catalogue,
  Clients,
  Clock,
  Connection,
  Connections,
  Gateway,
  Job,
  Jobs,
  LogMessage,
  Membership,
  OwnSubscription,
  PostResult,
  Registration,
  Registrations,
  Report,
  Subscription,
  SubscriptionKey,
  Swept,
  TopicState,
  Topics,
  Turn,
  Turns,
} from '../../core/ports.ts';

export function memoryTopics(clock: Pick<Clock, 'now'>): Topics {
  type Stored = { -readonly [Name in keyof TopicState]: TopicState[Name] } & {
    orders: Record<string, string>;
    deserted: boolean;
    unheardBy: string;
  };
  const states = new Map<string, Stored>();
  const bases = new Map<string, { base: number; expiresAtMs: number }>();
  const logs = new Map<string, Map<number, { eventId: string; value: object; expiresAtMs: number }>>();
  let epochs = 0;
  const make = (topic: string): Stored => {
    const state = states.get(topic) ?? {
      topic,
      epoch: `epoch${++epochs}`,
      head: 0,
      parts: {},
      recent: [],
      heard: false,
      heardFrom: 0,
      deserted: true,
      unheardBy: '',
      listed: false,
      expiresAtMs: null,
      orders: {},
    };
    states.set(topic, state);
    return state;
  };
  const copy = ({ orders: _, deserted: __, unheardBy: ___, ...state }: Stored): TopicState => ({
    ...state,
    parts: { ...state.parts },
    recent: [...state.recent],
  });
  const logOf = (topic: string) => {
    const log = logs.get(topic) ?? new Map<number, { eventId: string; value: object; expiresAtMs: number }>();
    logs.set(topic, log);
    return log;
  };
  return {
    async commitState({ topic, part, order, value, recent }) {
      const before = states.get(topic);
      if (before && (before.orders[part] ?? '') >= order) return { changed: false, state: copy(before) };
      const state = make(topic);
      state.orders[part] = order;
      state.parts = { ...state.parts, [part]: value };
      if (recent !== null) state.recent = [...state.recent, recent];
      state.head++;
      return { changed: true, state: copy(state) };
    },
    async thinRecent(seen, points) {
      const state = states.get(seen.topic);
      if (state && state.head === seen.head && state.recent.length === seen.recent.length) state.recent = points;
    },
    async read(topics) {
      return new Map(topics.flatMap((topic) => (states.has(topic) ? [[topic, copy(states.get(topic) as Stored)] as const] : [])));
    },
    async hear(topic) {
      const state = make(topic);
      state.heard = true;
      if (state.deserted) state.heardFrom = state.head;
      state.deserted = false;
      state.unheardBy = '';
      return copy(state);
    },
    create: async (topic) => copy(make(topic)),
    async unhear(topic, stamp) {
      const state = states.get(topic);
      if (!state) return;
      state.heard = false;
      state.unheardBy = stamp;
    },
    async desert(topic, stamp) {
      const state = states.get(topic);
      if (!state || state.heard || state.unheardBy !== stamp) return;
      state.heardFrom = 0;
      state.deserted = true;
    },
    async eventBase(topic, eventId, base) {
      const key = `${topic} ${eventId}`;
      const before = bases.get(key);
      if (before && before.expiresAtMs > clock.now()) return before.base;
      bases.set(key, { base, expiresAtMs: clock.now() + LOG_LIFE_MS });
      return base;
    },
    async putLog(topic, offset, eventId, value) {
      const log = logOf(topic);
      const there = log.get(offset);
      if (there && there.eventId !== eventId) return 'taken';
      log.set(offset, { eventId, value: there?.value ?? value, expiresAtMs: there?.expiresAtMs ?? clock.now() + LOG_LIFE_MS });
      return 'put';
    },
    async raiseHead(topic, head) {
      const state = make(topic);
      state.head = Math.max(state.head, head);
      return copy(state);
    },
    async committedAfter(topic, after) {
      const next = [...logOf(topic)].sort(([a], [b]) => a - b).find(([offset]) => offset > after);
      return next ? next[1].expiresAtMs - LOG_LIFE_MS : null;
    },
    async readLog(topic, after, limit): Promise<LogMessage[]> {
      return [...logOf(topic)]
        .filter(([offset, { expiresAtMs }]) => offset > after && expiresAtMs > clock.now())
        .sort(([a], [b]) => a - b)
        .slice(0, limit)
        .map(([offset, { eventId, value, expiresAtMs }]) => ({ offset, eventId, atMs: expiresAtMs - LOG_LIFE_MS, value }));
    },
  };
}

export function memoryTurns(): Turns {
  const items = new Map<string, Turn>();
  const at = (topic: string, shard: number): Turn =>
    items.get(`${topic}#${shard}`) ?? { holder: '', untilMs: 0, pokes: 0, cursor: 0, epoch: '', toldAtMs: 0, nextAtMs: 0 };
  const put = (topic: string, shard: number, change: Partial<Turn>): Turn => {
    const turn = { ...at(topic, shard), ...change };
    items.set(`${topic}#${shard}`, turn);
    return turn;
  };
  return {
    async poke(topic, shard, me, untilMs) {
      const turn = at(topic, shard);
      const free = turn.holder === '';
      return put(topic, shard, { pokes: turn.pokes + 1, ...(free ? { holder: me, untilMs } : {}) });
    },
    async takeOver(topic, shard, seen, me, untilMs) {
      const turn = at(topic, shard);
      return turn.holder === seen.holder && turn.untilMs === seen.untilMs ? put(topic, shard, { holder: me, untilMs }) : null;
    },
    read: async (topic, shard) => items.get(`${topic}#${shard}`) ?? null,
    async extend(topic, shard, me, untilMs) {
      if (at(topic, shard).holder !== me) return false;
      put(topic, shard, { untilMs });
      return true;
    },
    async abandon(topic, shard, me) {
      if (at(topic, shard).holder === me) put(topic, shard, { holder: '', untilMs: 0 });
    },
    async save(topic, shard, me, told, untilMs) {
      if (at(topic, shard).holder !== me) return false;
      put(topic, shard, { ...told, untilMs });
      return true;
    },
    async release(topic, shard, me, { cursor, epoch, toldAtMs, nextAtMs, pokes }) {
      const turn = at(topic, shard);
      if (turn.holder !== me) return 'lost';
      if (pokes !== null && turn.pokes !== pokes) return 'poked';
      put(topic, shard, { cursor, epoch, toldAtMs, nextAtMs, holder: '', untilMs: 0 });
      return 'released';
    },
  };
}

const nameOf = ({ topic, shard, connectionId, subscriptionId }: SubscriptionKey): string =>
  `${topic}#${shard} ${connectionId}#${subscriptionId}`;

export function memoryAudience(clock: Pick<Clock, 'now'>): Audience {
  interface Member {
    subscription: Subscription;
    requestedAtMs: number;
    expiresAtMs: number;
    ended: boolean;
  }
  const members = new Map<string, Member>();
  const isThere = (member: Member | undefined): member is Member =>
    member !== undefined && !member.ended && member.expiresAtMs > clock.now();
  const overtaken = (key: SubscriptionKey, requestedAtMs: number): boolean =>
    (members.get(nameOf(key))?.requestedAtMs ?? 0) > requestedAtMs;
  const change = (key: SubscriptionKey, claim: (one: Subscription) => boolean, over: Partial<Subscription>): void => {
    const member = members.get(nameOf(key));
    if (isThere(member) && claim(member.subscription)) member.subscription = { ...member.subscription, ...over };
  };
  return {
    async *pages(topic, shard) {
      yield [...members.values()]
        .filter(isThere)
        .flatMap(({ subscription }) => (subscription.topic === topic && subscription.shard === shard ? [{ ...subscription }] : []));
    },
    async put(subscription, requestedAtMs, expiresAtMs) {
      const before = members.get(nameOf(subscription));
      if (requestedAtMs === null ? before : overtaken(subscription, requestedAtMs)) return 'overtaken';
      members.set(nameOf(subscription), {
        subscription: { ...subscription },
        requestedAtMs: requestedAtMs ?? 0,
        expiresAtMs,
        ended: false,
      });
      return before && before.expiresAtMs > clock.now() ? 'replaced' : 'put';
    },
    async find(keys) {
      return keys.map((key) => {
        const member = members.get(nameOf(key));
        return member && member.expiresAtMs > clock.now() ? { ...member.subscription, ended: member.ended } : null;
      });
    },
    async end(key, requestedAtMs, expiresAtMs) {
      if (overtaken(key, requestedAtMs ?? 0)) return 'overtaken';
      members.set(nameOf(key), {
        subscription: { ...key, dialect: 'json', from: 0, late: false, notBeforeMs: 0, strikes: 0, filter: null, registration: null },
        requestedAtMs: requestedAtMs ?? 0,
        expiresAtMs,
        ended: true,
      });
      return 'ended';
    },
    async caughtUp(key, seenFrom, head) {
      change(key, ({ late, from }) => late && from === seenFrom && from <= head, {
        from: head,
        late: false,
        notBeforeMs: 0,
        strikes: 0,
      });
    },
    async markLate(key, from) {
      change(key, (one) => !one.late || one.from >= from, { late: true, from });
    },
    async passOver(seen, from, throttled) {
      change(seen, (one) => !one.late || one.from >= from || one.from === seen.from, { late: true, from, ...throttled });
    },
    async advance(key, seenFrom, to) {
      const before = members.get(nameOf(key))?.subscription;
      if (!before?.late || before.from !== seenFrom) return false;
      change(key, () => true, { from: to });
      return true;
    },
    async forgetRegistration(key) {
      change(key, () => true, { registration: null });
    },
    async renew(key, filter, requestedAtMs) {
      const member = members.get(nameOf(key));
      if (!isThere(member) || member.requestedAtMs > requestedAtMs) return false;
      member.requestedAtMs = requestedAtMs;
      member.subscription = { ...member.subscription, filter };
      return true;
    },
    async remove(key) {
      members.delete(nameOf(key));
    },
  };
}

export function memoryConnections(): Connections {
  type Stored = Connection & { times: number[]; paced: number[]; subscribes: number; greeted: boolean };
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
  const connectionOf = ({ times: _, paced: __, subscribes: ___, greeted: ____, ...connection }: Stored): Connection => connection;
  return {
    async open(connection) {
      records.set(connection.connectionId, {
        ...connection,
        touchedAtMs: 0,
        announced: null,
        broadcasts: null,
        greetedAtMs: 0,
        pingedAtMs: 0,
        pongedAtMs: 0,
        toldAtMs: 0,
        times: [],
        paced: [],
        subscribes: 0,
        greeted: false,
      });
      sinceMs ??= connection.connectedAtMs;
      return ++count;
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
    async claimGreeting(connectionId, atMs) {
      const record = records.get(connectionId);
      if (!record || record.greeted) return null;
      change(connectionId, { greeted: true, greetedAtMs: atMs });
      return connectionOf(records.get(connectionId) as Stored);
    },
    async addSubscription(connectionId, key, atMs, _, unasked = false) {
      if (unasked && ofConnection(connectionId).has(nameOf(key))) return;
      ofConnection(connectionId).set(nameOf(key), {
        key: { topic: key.topic, shard: key.shard, connectionId, subscriptionId: key.subscriptionId, unasked },
        atMs,
      });
    },
    async claimSubscription(connectionId, key, atMs) {
      const own = ofConnection(connectionId);
      const taken = [...own.values()].some(
        (one) => one.key.subscriptionId === key.subscriptionId && (key.subscriptionId !== '' || one.key.topic === key.topic),
      );
      if (taken) return false;
      const { topic, shard, subscriptionId } = key;
      own.set(nameOf(key), { key: { topic, shard, connectionId, subscriptionId, unasked: false }, atMs });
      return true;
    },
    async removeSubscription(connectionId, key, only) {
      const there = ofConnection(connectionId).get(nameOf(key));
      if (only === 'unasked' ? !there?.key.unasked : only && there && there.atMs > only.askedBy) return;
      ofConnection(connectionId).delete(nameOf(key));
    },
    async subscriptions(connectionId, subscriptionId) {
      const keys = [...ofConnection(connectionId).values()].map(({ key }) => key);
      return keys.filter((key) => subscriptionId === undefined || key.subscriptionId === subscriptionId);
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
    async announce(connectionId, { clientId }, broadcasts) {
      const record = records.get(connectionId);
      if (!record) return null;
      const stands = { announced: record.announced ?? clientId, broadcasts: record.broadcasts ?? broadcasts };
      change(connectionId, stands);
      return stands;
    },
    async chooseUnlessAll(connectionId) {
      const record = records.get(connectionId);
      if (!record || record.broadcasts === 'all') return false;
      change(connectionId, { broadcasts: 'chosen' });
      return true;
    },
    async choose(connectionId) {
      change(connectionId, { broadcasts: 'chosen' });
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
    async setCount(next) {
      count = next;
    },
    async pinged(connectionId, atMs) {
      change(connectionId, { pingedAtMs: atMs });
    },
    async told(connectionId, atMs) {
      change(connectionId, { toldAtMs: atMs });
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
}

export function memoryClients(): Clients {
  const all = new Map<string, Map<string, Membership>>();
  return {
    async enter(client, { connectionId, connectedAtMs }, nowMs) {
      const members = all.get(client) ?? new Map<string, Membership>();
      all.set(client, members.set(connectionId, { connectionId, connectedAtMs }));
      return [...members.values()].filter((one) => expiryOf(one.connectedAtMs) > nowMs);
    },
    async leave(client, { connectionId }) {
      all.get(client)?.delete(connectionId);
    },
  };
}

export function memoryBodies(): Bodies {
  const bodies = new Map<string, Body>();
  return {
    async put(id, body) {
      bodies.set(id, body);
    },
    read: async (id) => bodies.get(id) ?? null,
  };
}

export function memoryRegistrations(clock: Pick<Clock, 'now'>): Registrations {
  const made = new Map<string, { registration: Registration; expiresAtMs: number }>();
  const find = (topic: string): Registration | null => {
    const found = made.get(topic);
    return found && found.expiresAtMs > clock.now() ? found.registration : null;
  };
  return {
    async register(topic, registration, expiresAtMs) {
      const before = find(topic);
      if (before && (made.get(topic)?.expiresAtMs ?? 0) > expiresAtMs) return;
      made.set(topic, { registration: { ...registration, position: before?.position ?? registration.position }, expiresAtMs });
    },
    find: async (topic) => find(topic),
    async useUp(topic, stamp) {
      if (made.get(topic)?.registration.stamp === stamp) made.delete(topic);
    },
    async remove(topic) {
      made.delete(topic);
    },
  };
}

export function memoryCatalogue(): Catalogue {
  const listed = new Map<string, Map<string, string | null>>();
  const heard = new Map<string, { atMs: number; leaving: boolean }>();
  const statuses = new Map<string, object>();
  const accepted = new Map<string, Acceptance>();
  const channelOf = (channel: string) => {
    const topics = listed.get(channel) ?? new Map<string, string | null>();
    listed.set(channel, topics);
    return topics;
  };
  return {
    async list(channel, entries) {
      for (const { topic, name } of entries) channelOf(channel).set(topic, name ?? channelOf(channel).get(topic) ?? null);
    },
    markListed: async () => undefined,
    topics: async (channel) => [...channelOf(channel)].map(([topic, name]) => ({ topic, name })),
    names: async (channel, topics) =>
      new Map(
        topics.flatMap((topic) => (channelOf(channel).get(topic) ? [[topic, channelOf(channel).get(topic) as string] as const] : [])),
      ),
    async addHeard(topic, atMs) {
      heard.set(topic, { atMs, leaving: false });
    },
    async markLeaving(topic) {
      heard.set(topic, { atMs: heard.get(topic)?.atMs ?? 0, leaving: true });
    },
    heard: async () => [...heard].map(([topic, entry]) => ({ topic, ...entry })),
    async removeHeard(topic, atMs) {
      if (heard.get(topic)?.atMs === atMs) heard.delete(topic);
    },
    async saveStatus(name, status) {
      statuses.set(name, status);
    },
    status: async (name) => (statuses.get(name) as Record<string, unknown> | undefined) ?? null,
    async firstAcceptance(eventId, given) {
      const before = accepted.get(eventId);
      const first = before && before.acceptedAtMs > given.acceptedAtMs - 86_400_000 ? before : given;
      accepted.set(eventId, first);
      return first;
    },
  };
}

export interface MemoryGateway extends Gateway {
  readonly posted: { connectionId: string; frame: string }[];
  readonly closed: string[];
  /** When connections were last active, as far as the gateway says. */
  readonly active: Map<string, number>;
  /** What posts to a connection come to; `sent` where nothing is said. */
  readonly outcome: Map<string, PostResult>;
}

export function memoryGateway(): MemoryGateway {
  const gateway: MemoryGateway = {
    posted: [],
    closed: [],
    active: new Map(),
    outcome: new Map(),
    async post(connectionId, frame, before) {
      await before?.();
      const outcome = gateway.outcome.get(connectionId) ?? 'sent';
      if (outcome === 'sent') gateway.posted.push({ connectionId, frame });
      return outcome;
    },
    async stateOf(connectionId) {
      if (gateway.outcome.get(connectionId) === 'gone') return 'gone';
      const lastActiveMs = gateway.active.get(connectionId);
      return lastActiveMs === undefined ? null : { lastActiveMs };
    },
    async close(connectionId) {
      gateway.closed.push(connectionId);
    },
  };
  return gateway;
}

export interface MemoryJobs extends Jobs {
  readonly jobs: { job: Job; delaySeconds: number }[];
}

export function memoryJobs(): MemoryJobs {
  const jobs: { job: Job; delaySeconds: number }[] = [];
  return {
    jobs,
    async put(job, delaySeconds = 0) {
      jobs.push({ job, delaySeconds });
    },
  };
}

export interface MemoryClock extends Clock {
  /** Sleeping passes the time. */
  nowMs: number;
}

export function memoryClock(nowMs = Date.UTC(2026, 1, 6, 3)): MemoryClock {
  const clock: MemoryClock = {
    nowMs,
    now: () => clock.nowMs,
    async sleep(ms) {
      clock.nowMs += ms;
    },
  };
  return clock;
}

export interface MemoryReport extends Report {
  readonly counts: Map<string, number>;
  readonly lines: string[];
}

export function memoryReport(): MemoryReport {
  const report: MemoryReport = {
    counts: new Map(),
    lines: [],
    info: (message) => void report.lines.push(message),
    warn: (message) => void report.lines.push(message),
    error: (message, error) => void report.lines.push(`${message}: ${String(error)}`),
    count: (metric, value = 1) => void report.counts.set(metric, (report.counts.get(metric) ?? 0) + value),
    time: (metric, ms) => void report.counts.set(metric, ms),
  };
  return report;
}
