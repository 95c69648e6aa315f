import type { Audience, Subscription, SubscriptionKey } from '../../../core/ports/audience.ts';
import type { Clock } from '../../../core/ports/clock.ts';

export const nameOf = ({ topic, shard, connectionId, subscriptionId }: SubscriptionKey): string =>
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
        return member && member.expiresAtMs > clock.now()
          ? { ...member.subscription, ended: member.ended, unasked: member.requestedAtMs === 0 }
          : null;
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
