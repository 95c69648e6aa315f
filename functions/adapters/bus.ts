import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { detailOnBus } from '../../core/events/envelope.ts';
import { ENV, REGISTRATION_SOURCE } from '../../core/names.ts';
import type { AcceptedEvent, Lane, Notices } from '../../core/ports/events.ts';
import { sendInBatches } from './batches.ts';
import { inEnvironmentTime } from './clock.ts';
import { requireEnv } from './env.ts';

let shared: EventBridgeClient | undefined;

/** Made once a process, when it is first needed. */
const client = (): EventBridgeClient => {
  shared ??= inEnvironmentTime(new EventBridgeClient({}));
  return shared;
};

export const busLane = (bus = requireEnv(ENV.eventBus), eventBridge = client()): Lane => ({
  send: (events) =>
    sendInBatches(events, entryOf, async (entries) => {
      const { Entries = [] } = await eventBridge.send(
        new PutEventsCommand({
          Entries: entries.map((entry) => ({
            EventBusName: bus,
            ...(JSON.parse(entry) as { Source: string; DetailType: string; Detail: string }),
          })),
        }),
      );
      return Entries.flatMap(({ ErrorCode }, index) => (ErrorCode === undefined ? [] : [index]));
    }),
});

/** Events that upstreams may listen to. */
export const registrationNotices = (bus = requireEnv(ENV.eventBus), eventBridge = client()): Notices => ({
  async send(detailType, detail) {
    const entry = { EventBusName: bus, Source: REGISTRATION_SOURCE, DetailType: detailType, Detail: JSON.stringify(detail) };
    const { Entries = [] } = await eventBridge.send(new PutEventsCommand({ Entries: [entry] }));
    if (Entries[0]?.ErrorCode) throw new Error(`the bus did not take ${detailType}: ${Entries[0].ErrorCode}`);
  },
});

const entryOf = (event: AcceptedEvent): string =>
  JSON.stringify({ Source: event.source, DetailType: event.detailType, Detail: JSON.stringify(detailOnBus(event)) });
