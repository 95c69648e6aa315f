/**
 * Carries commands to agents, and watches that they are answered. A command and its deadline are put together: whatever
 * becomes of the agent, the client hears of it.
 */
import type { Worker } from '../../core/channels/system.ts';
import { COMMAND, type Command } from './command.ts';
import { outcomeTopic, REQUEST_FAILED } from './outcome.ts';
import { publish } from './publish.ts';
import { serviceEventChannel } from './service-event.ts';

/** Name of the worker, and of its queue. */
export const CONTROL = 'service-control';

export type ControlWork =
  | { readonly kind: 'command'; readonly command: Command }
  /** Put with a delay. */
  | { readonly kind: 'deadline'; readonly command: Command; readonly seconds: number };

export const controlWorker: Worker = {
  timeoutSeconds: 30,
  uses: ['topic', 'bus', 'direct'],
  async serve(work, ports) {
    const { kind, command, ...rest } = work as ControlWork;
    if (kind === 'command') return publish({ ...COMMAND, id: command.command_id, detail: command }, 'bus', ports);
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
    const { source } = serviceEventChannel;
    await publish({ id: `${command_id}.deadline`, source, detailType: REQUEST_FAILED, detail: failure }, 'direct', ports);
  },
};
