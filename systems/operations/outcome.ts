/**
 * The outcome of a client's request: the broadcast that names it, or an error. The client is subscribed to its request's
 * topic as it asks, so that it gets the outcome whatever else it is subscribed to.
 */
import * as v from 'valibot';
import { instant, jsonObject, optional } from '../../core/base/validation.ts';
import { defineChannel, type EventTime, event, type MessageOf } from '../../core/channels/define-channel.ts';
import { NOBODY } from '../../core/channels/permits.ts';
import type { ClientSession } from '../../core/channels/system.ts';
import { name } from './fields.ts';
import { broadcastOf, opsTopic, type Stored, storedOf } from './ops-channel.ts';
import { SERVICE_EVENT, serviceEventChannel } from './service-event.ts';
import { WEBHOOK_EVENT, webhookEventChannel } from './webhook-event.ts';

const PREFIX = 'ops:outcome:';
export const outcomeTopic = (requestId: string): string => PREFIX + requestId;

/** The filter of a client that gets the broadcast anyway. */
const ONLY_ERRORS: readonly string[] = ['error'];

/** Has the client get the outcome of its request, once: as the broadcast that a subscription of its own brings it, or else here. `data`: what that one will have, as far as filters look at it. */
export async function hearOutcome(requestId: string, broadcast: string, data: object, session: ClientSession): Promise<void> {
  const hears = await session.hears(opsTopic(broadcast), { data });
  await session.listen(outcomeTopic(requestId), hears ? ONLY_ERRORS : null);
}

export const REQUEST_FAILED = 'RequestFailed';

const failed = v.object({ request_id: name, error_code: v.string(), error_message: v.string(), details: jsonObject });

// an outcome's event names its request beside what clients get
const webhookSettled = v.object({ ...webhookEventChannel.data.entries, timestamp: optional(instant), command_id: optional(name) });

interface Outcome extends Stored {
  readonly type: string;
  readonly idPrefix: string;
}

const serviceChanged = v.object({ ...serviceEventChannel.data.entries, timestamp: optional(instant) });

export const outcomeChannel = defineChannel({
  name: 'outcome',
  kind: 'state',
  source: serviceEventChannel.source,
  topic: `${PREFIX}{requestId}`,
  lifeMs: 3 * 86_400_000,
  internal: true,
  events: {
    [SERVICE_EVENT.detailType]: event(serviceChanged, ({ timestamp, ...data }, { id }) =>
      data.command_id
        ? [
            {
              topic: { requestId: data.command_id },
              timestamp,
              value: (at: EventTime) => ({ ...SERVICE_EVENT, ...storedOf(id, at, data) }),
            },
          ]
        : [],
    ),
    [WEBHOOK_EVENT.detailType]: event(webhookSettled, ({ timestamp, command_id: requestId, ...data }, { id }) =>
      requestId ? [{ topic: { requestId }, timestamp, value: (at: EventTime) => ({ ...WEBHOOK_EVENT, ...storedOf(id, at, data) }) }] : [],
    ),
    [REQUEST_FAILED]: event(failed, ({ request_id: requestId, ...error }, { id }) => ({
      topic: { requestId },
      value: (at: EventTime) => ({ type: 'error', idPrefix: '', ...storedOf(id, at, { ...error, timestamp: at.iso }) }),
    })),
  },
  payload({ parts: { newest } }: MessageOf<{ newest: Outcome }>) {
    if (!newest) return null;
    const { type, idPrefix, ...stored } = newest;
    if (type !== 'error') return broadcastOf(type, idPrefix, stored);
    return { type, data: JSON.parse(stored.json) as object, timestamp: stored.timestamp };
  },
  filtering: {
    name: 'outcomes',
    values: v.string(),
    facets: (payload) => [(payload as { type: string }).type],
    narrow: (payload, wanted) => (wanted.includes((payload as { type: string }).type) ? payload : null),
  },
  permits: NOBODY,
});
