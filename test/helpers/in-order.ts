import { connect } from './client.ts';
import type { PublishedEvent } from './events.ts';
import type { Host } from './host.ts';

export interface OrderedPublisher {
  publish(events: readonly PublishedEvent[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Publishes events of one topic in their order, each once the one before is a message: a standard queue keeps no order, and two
 * events of one request may be committed either way round. It watches the topic with a subscription of its own.
 */
export async function inOrder(host: Host, topic: string): Promise<OrderedPublisher> {
  const probe = await connect(host.url);
  probe.send({ type: 'subscribe', topic });
  await probe.until(({ type }) => type === 'subscribed');
  return {
    async publish(events) {
      for (const event of events) {
        await host.publish([event]);
        await probe.until(({ type, position }) => position !== undefined && type !== 'subscribed', 'the message of the event');
      }
    },
    close: () => probe.close(),
  };
}
