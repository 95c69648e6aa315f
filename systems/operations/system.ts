/** WatchHamster, the operations monitor: six broadcasts for dashboards that announce themselves (`docs/protocol.md`, "Operations"). */
import { defineSystem } from '../../core/channels/system.ts';
import { BROADCAST_CHANNELS } from './broadcasts.ts';
import { clientInfo } from './client-info.ts';
import { sendWebhook, serviceControl } from './control.ts';
import { ping } from './ping.ts';
import { subscribe, unsubscribe } from './subscribe-by-type.ts';

export const operations = defineSystem({
  name: 'operations',
  channels: BROADCAST_CHANNELS,
  messages: { client_info: clientInfo, subscribe, unsubscribe, service_control: serviceControl, send_webhook: sendWebhook, ping },
});
