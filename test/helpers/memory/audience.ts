import type { Audience, SeenLate, Subscription, SubscriptionKey } from '../../../core/ports/audience.ts';
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
  const asSeen = (one: Subscription, seen: SeenLate): boolean => one.late !== null && one.late === seen.late && one.from === seen.from;
  return {
    async *pages(topic, shard) {
      for (const [name, { expiresAtMs }] of members) if (expiresAtMs <= clock.now()) members.delete(name);
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
        subscription: { ...key, dialect: 'json', from: 0, late: null, notBeforeMs: 0, strikes: 0, filter: null, registration: null },
        requestedAtMs: requestedAtMs ?? 0,
        expiresAtMs,
        ended: true,
      });
      return 'ended';
    },
    async caughtUp(seen, head) {
      change(seen, (one) => asSeen(one, seen) && one.from <= head, {
        from: head,
        late: null,
        notBeforeMs: 0,
        strikes: 0,
      });
    },
    async markLate(key, from, mark) {
      change(key, (one) => one.late === null || one.from >= from, { late: mark, from });
    },
    async passOver(seen, from, { mark, ...throttled }) {
      change(seen, (one) => one.late === null || one.from >= from || asSeen(one, seen), { late: mark, from, ...throttled });
    },
    async advance(seen, to) {
      const before = members.get(nameOf(seen))?.subscription;
      if (!before || !asSeen(before, seen)) return false;
      change(seen, () => true, { from: to });
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
