/** Carries out commands: each once, in time, and only for services of the config. */
import { join } from 'node:path';
import type { Log } from '../log.ts';
import { oneByOne } from '../loop.ts';
import { type Said, type ServiceChanged, serviceChanged } from '../services/changed.ts';
import type { Services } from '../services/services.ts';
import { readDurably, writeDurably } from '../state/durable.ts';
import { type Command, readCommand } from './command.ts';
import { type Begun, openJournal } from './journal.ts';

export interface CommandsPorts {
  /** Folder for what is remembered. */
  readonly state: string;
  readonly services: Services;
  /** The wall clock of this machine, and of the server, in ms. */
  wall(): number;
  serverNow(): number;
  /** Publishes the answer to a command. */
  answer(answer: ServiceChanged): Promise<void>;
  readonly log: Log;
}

export interface Commands {
  /** Position to go on from; `null` = from now on. */
  since(): string | null;
  /** Notes the position from which the first commands come. */
  begins(position: string): Promise<void>;
  /** Goes on with the commands that were begun when the agent was killed. */
  resume(): Promise<void>;
  /** Takes a message of the command topic. Resolves when it was noted: it is carried out side by side with others. */
  take(message: { readonly data?: unknown; readonly position?: unknown }): Promise<void>;
  /** Notes the answer of a command's service, and publishes it. */
  finish(id: string, answer: ServiceChanged): Promise<void>;
  /** Resolves when nothing is being carried out. */
  idle(): Promise<void>;
}

export async function openCommands({ state, services, wall, serverNow, answer, log }: CommandsPorts): Promise<Commands> {
  const journal = await openJournal(join(state, 'commands.json'), wall);
  const positionPath = join(state, 'position.json');
  let position = await readDurably<string>(positionPath);
  const inTurn = oneByOne();
  /** By the command's id. */
  const running = new Map<string, Promise<void>>();

  const pidOf = (id: string): Promise<number | null> => services.pid(id).catch(() => null);
  const finish = async (id: string, outcome: ServiceChanged): Promise<void> => {
    // on a full disk its answer is published all the same
    await journal.finish(id, outcome).catch((error: Error) => log('ERROR', `the answer to ${id} could not be noted: ${error.message}`));
    await answer(outcome);
  };
  const end = ({ command_id: id, service_id }: Command, said: Omit<Said, 'commandId'>): Promise<void> =>
    finish(id, serviceChanged(service_id, services.config(service_id), { ...said, commandId: id }, serverNow()));
  const refuse = async (command: Command, why: string): Promise<void> => {
    const { command_id: id, service_id, action } = command;
    log('WARNING', `${action} ${service_id} (${id}): ${why}`);
    const pid = await pidOf(service_id);
    const status = !services.has(service_id) ? 'unknown' : pid === null ? 'stopped' : 'running';
    await end(command, { type: 'error', status, message: why, pid });
  };
  const isLate = ({ expires_at }: Command): boolean => serverNow() > Date.parse(expires_at);
  const carryOut = (command: Command): void => {
    const { command_id: commandId, service_id: id, action, options } = command;
    log('INFO', `${action} ${id} (${commandId})`);
    const graceMs = options.force ? 0 : (services.config(id)?.grace ?? 0) * 1000;
    const work = services
      .ask(id, { action, graceMs, commandId, isExpired: () => isLate(command) })
      .catch((error: Error) => refuse(command, `${action} failed: ${error.message}`))
      .finally(() => running.delete(commandId));
    running.set(commandId, work);
  };
  const take = async (command: Command): Promise<void> => {
    const { command_id: id, service_id, action } = command;
    if (running.has(id)) return;
    // the client that asked has got an error already
    if (isLate(command)) return log('WARNING', `${action} ${service_id} (${id}) came after its time, and is not carried out`);
    let noted: Awaited<ReturnType<typeof journal.begin>>;
    try {
      noted = await journal.begin(command, await pidOf(service_id));
    } catch (error) {
      return refuse(command, `the agent could not note the command, and does not carry it out: ${(error as Error).message}`);
    }
    if (noted.kind === 'done') return answer(noted.answer);
    if (noted.kind === 'begun') return;
    if (!services.has(service_id)) return refuse(command, `the agent has no service ${service_id} in its config`);
    carryOut(command);
  };
  /** The agent was killed while it carried this out. The service's process says how far it came: nothing is done twice. */
  const goOn = async ({ command, pid }: Begun): Promise<void> => {
    const { service_id, action } = command;
    const name = services.config(service_id)?.name ?? service_id;
    const now = await pidOf(service_id);
    if (action === 'restart' && now !== null && now !== pid)
      return end(command, {
        type: 'restarted',
        status: 'running',
        message: `${name} was restarted; the agent was ended meanwhile`,
        pid: now,
      });
    if (!services.has(service_id)) return refuse(command, `the agent has no service ${service_id} in its config`);
    if (isLate(command))
      return refuse(command, `the agent was ended while it carried out ${action}; the service ${now === null ? 'does not run' : 'runs'}`);
    // a start of what runs and a stop of what does not change nothing
    carryOut(command);
  };
  const moveTo = (to: string): Promise<void> => {
    position = to;
    return inTurn(() => writeDurably(positionPath, to)).catch(({ message }: Error) =>
      // it comes again after a restart, and is known then
      log('ERROR', `the position could not be noted: ${message}`),
    );
  };
  return {
    since: () => position,
    begins: moveTo,
    async resume() {
      for (const begun of journal.unfinished()) await goOn(begun);
    },
    async take({ data, position: at }) {
      const command = readCommand(data);
      if (command) await take(command);
      else log('ERROR', `what came is no command: ${JSON.stringify(data)?.slice(0, 200)}`);
      if (typeof at === 'string') await moveTo(at);
    },
    finish,
    async idle() {
      await Promise.all(running.values());
    },
  };
}
