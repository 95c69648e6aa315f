/** `service_control` and `send_webhook`: acting on the monitored systems. Both need the role `ops:control`. */
import * as v from 'valibot';
import { jsonObject, optional } from '../../core/base/validation.ts';
import { type ClientSession, clientMessage } from '../../core/channels/system.ts';
import { PushError } from '../../core/errors.ts';
import { name } from './fields.ts';

/** The role that may act. */
const CONTROL = 'ops:control';

function checkControl(session: ClientSession): void {
  if (!session.mayAct(CONTROL)) throw new PushError('PERMISSION_DENIED', `this needs the role ${CONTROL}`);
}

const control = v.object({
  data: v.object({
    service_id: name,
    action: v.picklist(['start', 'stop', 'restart', 'status']),
    options: optional(v.object({ force: optional(v.boolean()), timeout: optional(v.pipe(v.number(), v.minValue(0))) })),
  }),
});

/** No service has announced itself yet. */
export const serviceControl = clientMessage(control, async ({ data: { service_id } }, session) => {
  checkControl(session);
  throw new PushError('SERVICE_NOT_FOUND', `there is no service ${service_id}`, { service_id });
});

const webhook = v.object({
  data: v.object({
    webhook_type: name,
    url: v.pipe(v.string(), v.url('expected an address, such as https://hooks.example/abc')),
    message: v.string(),
    template_id: optional(name),
    variables: optional(jsonObject),
  }),
});

/** No host is on the list of those that webhooks may be sent to. */
export const sendWebhook = clientMessage(webhook, async ({ data: { webhook_type } }, session) => {
  checkControl(session);
  throw new PushError('PERMISSION_DENIED', 'no host is allowed to be sent webhooks to', { webhook_type });
});
