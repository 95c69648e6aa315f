/** The last event of each service: it answers `status`, and says which agent runs the service. */
import * as v from 'valibot';
import { instant, optional } from '../../core/base/validation.ts';
import { defineChannel, type EventTime, event, type MessageOf } from '../../core/channels/define-channel.ts';
import { NOBODY } from '../../core/channels/permits.ts';
import { text } from '../../core/channels/topic-pattern.ts';
import { broadcastOf, type Stored, storedOf } from './ops-channel.ts';
import { SERVICE_EVENT, serviceEventChannel } from './service-event.ts';

/** A service as it was last heard of. */
interface Service extends Stored {
  /** `null` = whoever published it is no agent. */
  readonly agent: string | null;
}

const changed = v.object({
  ...serviceEventChannel.data.entries,
  timestamp: optional(instant),
  // put there by the publishing route, from the agent's key
  agent: optional(v.string()),
});

const PREFIX = 'ops:service:';
export const serviceTopic = (serviceId: string): string => PREFIX + serviceId;

export const serviceChannel = defineChannel({
  name: 'service',
  kind: 'state',
  source: serviceEventChannel.source,
  topic: `${PREFIX}{serviceId}`,
  parameters: { serviceId: text('[^\\n]{1,200}', 'a service id') },
  internal: true,
  events: {
    [SERVICE_EVENT.detailType]: event(changed, ({ agent, timestamp, ...data }, { id }) =>
      data.service_id === ''
        ? []
        : [
            {
              topic: { serviceId: data.service_id },
              timestamp,
              value: (at: EventTime): Service => ({ ...storedOf(id, at, data), agent: agent ?? null }),
            },
          ],
    ),
  },
  payload: ({ parts: { newest } }: MessageOf<{ newest: Service }>) => newest && messageOf(newest),
  permits: NOBODY,
});

/** The service's last event, as clients get it. */
export const messageOf = (service: Service): object => broadcastOf(SERVICE_EVENT.type, SERVICE_EVENT.idPrefix, service);

/** The service in a topic's parts; `null` while it has not been heard of. */
export const serviceIn = (parts: Readonly<Record<string, object>> | undefined): Service | null =>
  (parts?.['newest'] as Service | undefined) ?? null;
