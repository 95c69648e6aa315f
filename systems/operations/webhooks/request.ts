/** `send_webhook`: checks what a client wants to have sent, and makes its body. */
import * as v from 'valibot';
import { jsonObject, optional } from '../../../core/base/validation.ts';
import type { ClientSession } from '../../../core/channels/system.ts';
import { PushError } from '../../../core/errors.ts';
import { name } from '../fields.ts';
import { hearOutcome } from '../outcome.ts';
import { TEMPLATES } from '../templates/index.ts';
import { WEBHOOK_EVENT } from '../webhook-event.ts';
import { AddressError, readAddress } from './address.ts';
import { WEBHOOK } from './name.ts';
import { allowedHosts } from './settings.ts';
import { TARGETS, type Target } from './targets.ts';
import { fill, TemplateError } from './template.ts';
import type { WebhookWork } from './worker.ts';

export const webhookRequest = v.object({
  data: v.object({
    webhook_type: name,
    url: v.pipe(v.string(), v.url('expected an address, such as https://hooks.example/abc')),
    message: v.string(),
    template_id: optional(name),
    variables: optional(jsonObject),
  }),
});
type Wish = v.InferOutput<typeof webhookRequest>['data'];

/** Puts the webhook for its worker. The client hears of its outcome. */
export async function requestWebhook(wish: Wish, session: ClientSession): Promise<void> {
  const { ports } = session;
  const { webhook_type, url } = wish;
  checkUrl(url, allowedHosts(ports.settings), webhook_type);
  const target = Object.hasOwn(TARGETS, webhook_type) ? TARGETS[webhook_type] : undefined;
  if (!target) throw new PushError('INVALID_MESSAGE_FORMAT', `message.data.webhook_type: expected ${Object.keys(TARGETS).join(', ')}`);
  const work: WebhookWork = { webhook_id: ports.newId(), webhook_type, url, body: bodyOf(wish, target), tries: 0 };
  await hearOutcome(work.webhook_id, WEBHOOK_EVENT.type, {}, session);
  await ports.work.put(WEBHOOK, work);
}

function checkUrl(url: string, hosts: readonly string[], webhook_type: string): void {
  try {
    readAddress(url, hosts);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw new PushError('PERMISSION_DENIED', error.message, { webhook_type });
  }
}

function bodyOf({ webhook_type, message, template_id, variables }: Wish, target: Target): object {
  if (template_id === undefined) return target.fit(target.plain(target.escape(message)));
  const template = Object.hasOwn(TEMPLATES, template_id) ? TEMPLATES[template_id] : undefined;
  if (!template || !Object.hasOwn(template, webhook_type))
    throw new PushError(
      'INVALID_MESSAGE_FORMAT',
      `message.data.template_id: there is no such template for ${webhook_type}; there are ${Object.keys(TEMPLATES).join(', ')}`,
    );
  try {
    return target.fit(fill(template[webhook_type], { ...variables, message }, target.escape) as object);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new PushError('INVALID_MESSAGE_FORMAT', `message.data.${error.message}`);
  }
}
