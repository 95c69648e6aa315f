/** `subscribe` and `unsubscribe` by type of broadcast. Naming a type ends the default subscriptions: from then on the client chooses. */

import * as v from 'valibot';
import type { Position } from '../../core/base/position.ts';
import { cut } from '../../core/base/text.ts';
import { mapOf, optional } from '../../core/base/validation.ts';
import { clientMessage } from '../../core/channels/system.ts';
import { PushError } from '../../core/errors.ts';
import { last, lastOf, since, sinceByTopic, WITH_DATA } from '../../core/protocol/json.ts';
import { BROADCAST_TOPICS, BROADCAST_TYPES } from './broadcasts.ts';
import { opsTopic, typeOfTopic } from './ops-channel.ts';

const MAX_VALUES = 100;
const values = optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(200))), v.maxLength(MAX_VALUES)));
const types = v.pipe(v.array(v.pipe(v.string(), v.maxLength(50))), v.minLength(1, 'expected at least one type'), v.maxLength(50));

const subscribing = v.pipe(
  v.object({
    data: v.looseObject({
      event_types: types,
      // each channel checks the values of its own filter
      filters: optional(mapOf(values)),
    }),
    since,
    last,
  }),
  v.check(({ data }) => !('since' in data), 'since: it stands beside data, not in it'),
);

const topicsOf = ({ data }: { data: { event_types: string[] } }): string[] => [...new Set(data.event_types.map(opsTopic))];

/** Clients that name types may name positions by type, too. */
const byTopic = (positions: ReadonlyMap<string, Position>): Map<string, Position> =>
  new Map([...positions].map(([name, at]) => [name.includes(':') || name.includes('/') ? name : opsTopic(name), at]));

const unknown = (topics: readonly string[]): PushError =>
  new PushError(
    'INVALID_MESSAGE_FORMAT',
    `no broadcast is called ${cut(topics.slice(0, 5).map(typeOfTopic).join(', '), 300)}; there are ${BROADCAST_TYPES.join(', ')}`,
    { expected_fields: WITH_DATA },
  );

export const subscribe = clientMessage(
  subscribing,
  (message, session) => {
    const topics = topicsOf(message);
    const filters = [...(message.data.filters ?? [])].flatMap(([name, list]) =>
      // an empty list does not filter
      list && list.length > 0 ? [[name, list] as const] : [],
    );
    return session.subscribe({
      topics,
      since: byTopic(sinceByTopic(message.since, topics)),
      last: lastOf(message),
      filters: new Map(filters),
      choosesFrom: BROADCAST_TOPICS,
      unknown,
    });
  },
  topicsOf,
);

export const unsubscribe = clientMessage(v.object({ data: v.object({ event_types: types }) }), (message, session) =>
  session.unsubscribe({ topics: topicsOf(message), choosesFrom: BROADCAST_TOPICS, unknown }),
);
