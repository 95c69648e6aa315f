/** The only maker of keys. `docs/access-patterns.md` lists what reads and writes each. */
import { type SubscriptionKey, UNNAMED } from '../../../core/ports/audience.ts';

// topics
export const stateKey = (topic: string) => ({ topic, item: 'state' });
export const cursorKey = (topic: string, shard: number) => ({ topic, item: `cursor#${shard}` });
export const eventKey = (topic: string, eventId: string) => ({ topic, item: `event#${eventId}` });
export const LOG_PREFIX = 'log#';
/** Padded, so that offsets sort. */
export const logKey = (topic: string, offset: number) => ({ topic, item: `${LOG_PREFIX}${String(offset).padStart(15, '0')}` });
export const LOG_END = `${LOG_PREFIX}~`;
export const listedKey = (channel: string, topic: string) => ({ topic: `catalogue#${channel}`, item: topic });
/** An item of its own: a batch write replaces whole items, and listing a topic must not delete its name. */
export const nameKey = (channel: string, topic: string) => ({ topic: `names#${channel}`, item: topic });
export const heardKey = (topic: string) => ({ topic: 'heard#', item: topic });
export const statusKey = (name: string) => ({ topic: 'status#', item: name });
export const acceptedKey = (eventId: string) => ({ topic: `accepted#${eventId}`, item: 'accepted' });

// subscriptions
export const audienceOf = (topic: string, shard: number): string => `${topic}#${shard}`;
export const memberKey = ({ topic, shard, connectionId, subscriptionId }: SubscriptionKey) => ({
  audience: audienceOf(topic, shard),
  member: `${connectionId}#${subscriptionId}`,
});

// connections
export const selfKey = (connectionId: string) => ({ connectionId, item: 'self' });
/** A client's announcement of itself. */
export const infoKey = (connectionId: string) => ({ connectionId, item: 'info' });
export const SUBSCRIPTION_PREFIX = 'sub#';
/** A client's own id may hold any character: encoded, so that no `#` ends it early. */
const idPart = (subscriptionId: string): string => encodeURIComponent(subscriptionId);
export const subscriptionPrefix = (subscriptionId?: string): string =>
  subscriptionId === undefined ? SUBSCRIPTION_PREFIX : `${SUBSCRIPTION_PREFIX}${idPart(subscriptionId)}#`;
/** An id of the client's own is one subscription; without one there is one a topic. */
export const subscriptionKey = ({ connectionId, topic, subscriptionId }: SubscriptionKey) => ({
  connectionId,
  item: `${subscriptionPrefix(subscriptionId)}${subscriptionId === UNNAMED ? topic : ''}`,
});
/** A part of the number of connections. A key of its own, so that no two need share a partition. */
export const counterKey = (part: number) => ({ connectionId: `counter#${part}`, item: `connections#${part}` });

/** The connections of one client. */
export const clientKey = (client: string) => ({ connectionId: `client#${client}`, item: 'members' });

/** Event streams opened in one stretch of time. */
export const streamsKey = (stretch: number) => ({ connectionId: 'streams#', item: String(stretch) });

// settings
export const registrationKey = (topic: string) => ({ kind: 'registration', id: topic });
export const ticketKey = (digest: string) => ({ kind: 'ticket', id: digest });
export const revocationKey = (userId: string) => ({ kind: 'revoked', id: userId });
/** The position of an event stream that may be cut before its first event. */
export const placeKey = (topic: string) => ({ kind: 'place', id: topic });
