/** The six broadcasts, in the order in which a client gets them by default. */
import type { Channel } from '../../core/channels/channel.ts';
import { alertChannel } from './alert.ts';
import { logUpdateChannel } from './log-update.ts';
import { opsTopic } from './ops-channel.ts';
import { poscoEventChannel } from './posco-event.ts';
import { serviceEventChannel } from './service-event.ts';
import { statusUpdateChannel } from './status-update.ts';
import { webhookEventChannel } from './webhook-event.ts';

export const BROADCAST_CHANNELS: readonly Channel[] = [
  statusUpdateChannel,
  serviceEventChannel,
  alertChannel,
  logUpdateChannel,
  webhookEventChannel,
  poscoEventChannel,
];

export const BROADCAST_TYPES: readonly string[] = BROADCAST_CHANNELS.map(({ name }) => name);
export const BROADCAST_TOPICS: readonly string[] = BROADCAST_TYPES.map(opsTopic);
