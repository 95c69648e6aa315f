/** WatchHamster, the operations monitor: six broadcasts for dashboards that announce themselves (`docs/protocol.md`, "Operations"). */
import { defineSystem, type Worker } from '../../core/channels/system.ts';
import { BROADCAST_CHANNELS } from './broadcasts.ts';
import { clientInfo } from './client-info.ts';
import { commandChannel } from './command.ts';
import { sendWebhook, serviceControl } from './control.ts';
import { CONTROL, controlWorker } from './control-worker.ts';
import { outcomeChannel } from './outcome.ts';
import { ping } from './ping.ts';
import { serviceChannel } from './service.ts';
import { subscribe, unsubscribe } from './subscribe-by-type.ts';
import { WEBHOOK } from './webhooks/name.ts';
import { TEMPLATES_FOLDER, WEBHOOK_SETTINGS } from './webhooks/settings.ts';
import type { WebhookWork } from './webhooks/worker.ts';

/** Its own modules are loaded when there is work: other functions carry them, and never run them. */
const webhookWorker: Worker = {
  timeoutSeconds: 30,
  uses: ['direct', 'work'],
  isSecret: true,
  async serve(work, ports) {
    const [{ sendWebhook: send }, { network }] = await Promise.all([import('./webhooks/worker.ts'), import('./adapters/network.ts')]);
    await send(work as WebhookWork, ports, network());
  },
};

export const operations = defineSystem({
  name: 'operations',
  channels: [...BROADCAST_CHANNELS, commandChannel, serviceChannel, outcomeChannel],
  settings: WEBHOOK_SETTINGS,
  folders: { [TEMPLATES_FOLDER]: 'systems/operations/templates/own.ts' },
  workers: { [CONTROL]: controlWorker, [WEBHOOK]: webhookWorker },
  messages: { client_info: clientInfo, subscribe, unsubscribe, service_control: serviceControl, send_webhook: sendWebhook, ping },
});
