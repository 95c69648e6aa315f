/**
 * Carries commands to agents, and watches that they are answered. A command and its deadline are put together: whatever
 * becomes of the agent, the client hears of it.
 */
import { isoOf } from '../../core/base/time.ts';
import type { Worker, WorkerPorts } from '../../core/channels/system.ts';
import { COMMAND, type Command } from './command.ts';
import { outcomeTopic, REQUEST_FAILED } from './outcome.ts';
import { serviceEventChannel } from './service-event.ts';

/** Name of the worker, and of its queue. */
export const CONTROL = 'service-control';

export type ControlWork =
  | { readonly kind: 'command'; readonly command: Command }
  /** Put with a delay. */
  | { readonly kind: 'deadline'; readonly command: Command; readonly seconds: number };

export const controlWorker: Worker = {
  timeoutSeconds: 30,
  async serve(work, ports) {
    const { kind, command, ...rest } = work as ControlWork;
    if (kind === 'command') return send(COMMAND.source, COMMAND.detailType, command.command_id, command, 'bus', ports);
    const topic = outcomeTopic(command.command_id);
    if (((await ports.topics.read([topic])).get(topic)?.head ?? 0) > 0) return;
    const { command_id, service_id, action, agent } = command;
    const { seconds } = rest as Pick<ControlWork & { kind: 'deadline' }, 'seconds'>;
    ports.report.warn('a command was not answered', { command_id, service_id, action, agent });
    const failure = {
      request_id: command_id,
      error_code: 'INTERNAL_SERVER_ERROR',
      error_message: `${action} ${service_id}: agent ${agent} did not answer within ${seconds} s; if it is away it will not carry this out later`,
      details: { service_id, action, command_id, agent },
    };
    await send(serviceEventChannel.source, REQUEST_FAILED, `${command_id}.deadline`, failure, 'direct', ports);
  },
};

/** Publishes an event. Throws if it was not taken: its work comes back. */
async function send(
  source: string,
  detailType: string,
  id: string,
  detail: Readonly<Record<string, unknown>>,
  lane: 'bus' | 'direct',
  { lanes, clock }: WorkerPorts,
): Promise<void> {
  const nowMs = clock.now();
  const refused = await lanes[lane].send([{ id, source, detailType, detail, time: isoOf(nowMs), acceptedAtMs: nowMs, index: 0 }]);
  if (refused.length > 0) throw new Error(`${detailType} was not taken`);
}
