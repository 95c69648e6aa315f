/** `service_control` and `send_webhook`: acting on the monitored systems. Both need the role `ops:control`. */
import * as v from 'valibot';
import { isoOf } from '../../core/base/time.ts';
import { optional } from '../../core/base/validation.ts';
import { type ClientSession, clientMessage } from '../../core/channels/system.ts';
import { PushError } from '../../core/errors.ts';
import { ACTIONS, type Command, commandOptions, secondsOf } from './command.ts';
import { CONTROL as CONTROL_WORKER, type ControlWork } from './control-worker.ts';
import { CONTROL, name } from './fields.ts';
import { hearOutcome } from './outcome.ts';
import { messageOf, serviceIn, serviceTopic } from './service.ts';
import { SERVICE_EVENT } from './service-event.ts';
import { requestWebhook, webhookRequest } from './webhooks/request.ts';

function checkControl(session: ClientSession): void {
  if (!session.mayAct(CONTROL)) throw new PushError('PERMISSION_DENIED', `this needs the role ${CONTROL}`);
}

const control = v.object({
  data: v.object({
    service_id: name,
    action: v.picklist([...ACTIONS, 'status']),
    options: optional(commandOptions, {}),
  }),
});

/** `status` is answered by the service's last event. Everything else becomes a command to its agent, whose outcome follows. */
export const serviceControl = clientMessage(control, async ({ data: { service_id, action, options } }, session) => {
  checkControl(session);
  const topic = serviceTopic(service_id);
  const service = serviceIn((await session.ports.topics.read([topic])).get(topic)?.parts);
  if (!service) throw new PushError('SERVICE_NOT_FOUND', `no service ${service_id} has announced itself`, { service_id });
  if (action === 'status') return session.reply(JSON.stringify(messageOf(service)));
  if (service.agent === null)
    throw new PushError('SERVICE_NOT_FOUND', `${service_id} has no agent: it can be looked at, and not controlled`, { service_id });
  await request({ service_id, action, options, agent: service.agent }, session);
});

/** Puts the command, and with it its deadline. */
async function request(wish: Pick<Command, 'service_id' | 'action' | 'options' | 'agent'>, session: ClientSession): Promise<void> {
  const { work, clock, newId } = session.ports;
  const seconds = secondsOf(wish.options.timeout);
  const command: Command = { ...wish, command_id: newId(), expires_at: isoOf(clock.now() + seconds * 1000) };
  await hearOutcome(command.command_id, SERVICE_EVENT.type, { service_id: wish.service_id }, session);
  const put = (one: ControlWork, delaySeconds = 0) => work.put(CONTROL_WORKER, one, delaySeconds);
  await Promise.all([put({ kind: 'command', command }), put({ kind: 'deadline', command, seconds }, Math.ceil(seconds))]);
}

export const sendWebhook = clientMessage(webhookRequest, async ({ data }, session) => {
  checkControl(session);
  await requestWebhook(data, session);
});
