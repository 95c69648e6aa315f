/**
 * The host agent: it publishes how its machine and services are, brings log lines, and carries out commands. Everything that
 * must outlive it lies in its state folder.
 */
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openCommands } from './commands/commands.ts';
import { type Link, openLink } from './commands/link.ts';
import type { Config } from './config.ts';
import type { Log } from './log.ts';
import { type Loop, oneByOne, repeat } from './loop.ts';
import { measureMachine } from './machine/metrics.ts';
import { type Alert, failingAlert, statusOf, watchThresholds } from './machine/report.ts';
import { openOutbox } from './publish/outbox.ts';
import { type OutgoingEvent, poster } from './publish/post.ts';
import { startSender } from './publish/sender.ts';
import { type Said, type ServiceChanged, serviceChanged } from './services/changed.ts';
import { procAt } from './services/proc.ts';
import { outputOf, startServices } from './services/services.ts';
import { lockFolder } from './state/lock.ts';
import { openServerClock } from './state/server-clock.ts';
import { followLog } from './tail/follow.ts';
import { freeSpace } from './tail/free-space.ts';

export interface AgentOptions {
  readonly config: Config;
  /** Folder for what outlives the agent. */
  readonly state: string;
  /** The config file, as events name it; `null` = there is none. */
  readonly configFile: string | null;
  /** Variables of every service, beside its own. */
  readonly environment: NodeJS.ProcessEnv;
  readonly log: Log;
}

export interface Agent {
  readonly id: string;
  /** Takes a new config. Its name and address need a restart: throws if they were changed. What cannot be done with a service is logged. */
  apply(config: Config): Promise<void>;
  /** Publishes an alert. */
  alert(alert: Alert): Promise<void>;
  /** Ends the agent. The services go on, unless they are to be stopped too. */
  stop(options?: { readonly withServices?: boolean }): Promise<void>;
}

/** A last try to publish what has happened, before the agent ends, in ms. */
const GOODBYE_MS = 3_000;

export async function startAgent({ config: first, state, configFile, environment, log }: AgentOptions): Promise<Agent> {
  await mkdir(state, { recursive: true, mode: 0o700 });
  const unlock = await lockFolder(state);
  let config = first;
  const now = (): number => performance.now();
  const wall = (): number => Date.now();

  const server = await openServerClock(state, wall, log);

  const outbox = await openOutbox({
    folder: join(state, 'spool'),
    logBytes: config.spool * 1024 * 1024,
    kicked: () => sender.kick(),
    log,
  });
  const post = poster(() => config);
  const sender = startSender({
    outbox,
    post,
    random: Math.random,
    log,
    serverTime: server.heard,
  });

  const publish = (detailType: OutgoingEvent['detailType'], detail: object, id: string = randomUUID()): Promise<void> =>
    outbox.add({ detailType, detail: { ...detail }, id });
  const alert = async (one: Alert): Promise<void> => {
    log(one.level === 'info' ? 'INFO' : 'WARNING', one.message);
    await publish('AlertRaised', { ...one, timestamp: new Date(server.now()).toISOString() });
  };

  // --- services -------------------------------------------------------------------------------------------------

  const inOrder = oneByOne();
  const failures = new Map<string, string>();
  /** Published in the order in which it happened, without waiting for the disk. */
  const later = (work: () => Promise<void>): void =>
    void inOrder(work).catch((error: Error) => log('ERROR', `what happened to a service could not be noted: ${error.message}`));
  const nameOf = (id: string): string => services.config(id)?.name ?? id;
  const changed = (id: string, said: Said): ServiceChanged => serviceChanged(id, services.config(id), said, server.now());
  const services = await startServices({
    state,
    proc: procAt(),
    environment,
    now,
    random: Math.random,
    changed(id, change) {
      log(change.type === 'error' ? 'WARNING' : 'INFO', change.message);
      const event = changed(id, change);
      const { commandId } = change;
      later(() => (commandId === null ? publish('ServiceChanged', event) : commands.finish(commandId, event)));
    },
    failing: (id, isFailing) => later(() => alert(failingAlert(config.agent, id, nameOf(id), isFailing))),
    reconfigured(id, pid) {
      const change = { type: 'config_changed', status: pid === null ? 'stopped' : 'running', pid, commandId: null } as const;
      const event = changed(id, { ...change, message: `${nameOf(id)} has a new config, for its next start`, configFile });
      later(() => publish('ServiceChanged', event));
    },
    failed(id, { message }) {
      // it is looked at every second: once is enough
      if (failures.get(id) !== message) log('ERROR', `${nameOf(id)}: ${message}`);
      failures.set(id, message);
    },
  });
  const commands = await openCommands({
    state,
    services,
    wall,
    serverNow: server.now,
    // the same answer again is the same event
    answer: (answer) => publish('ServiceChanged', answer, `${answer.command_id}.answer`),
    log,
  });

  // --- logs -----------------------------------------------------------------------------------------------------

  const logs = new Map<string, Loop>();
  const applyLogs = async (next: Config): Promise<void> => {
    const outputs = [...next.services].flatMap(([id, { unit }]) => (unit == null ? [outputOf(state, id)] : []));
    const wanted = new Set([...next.logs, ...outputs]);
    for (const [path, loop] of logs) {
      if (wanted.has(path)) continue;
      logs.delete(path);
      await loop.stop();
    }
    for (const path of wanted) {
      if (logs.has(path)) continue;
      // an output belongs to the agent: nobody else makes room on the disk
      const isOutput = outputs.includes(path);
      const read = isOutput ? freeSpace(path, (message) => log('WARNING', message)) : undefined;
      logs.set(path, await followLog(path, { outbox, state, now, wall, log, whole: isOutput, read }));
    }
  };

  // --- the machine ----------------------------------------------------------------------------------------------

  const measure = measureMachine({ now });
  const watch = await watchThresholds(state, () => config);
  let wasFull = false;
  const figures = repeat(
    () => config.every * 1000,
    async () => {
      const measured = await measure();
      outbox.figures({ detailType: 'StatusUpdated', detail: statusOf(measured, services.running()), id: randomUUID() });
      for (const one of watch.look(measured, wall())) await alert(one);
      await watch.save();
      if (outbox.isFull !== wasFull) await alert(spoolAlert(config.agent, outbox.isFull, config.spool));
      wasFull = outbox.isFull;
      return false;
    },
    ({ message }) => log('ERROR', `measuring: ${message}`),
  );

  const useConfig = async (next: Config): Promise<void> => {
    config = next;
    for (const problem of await services.apply(next.services)) log('ERROR', `the new config could not be used: ${problem}`);
    await applyLogs(next).catch(({ message }: Error) => log('ERROR', `the new config could not be used: ${message}`));
  };
  await useConfig(first);
  await commands.resume();
  const connect = (): Link =>
    openLink({ config: () => config, since: () => commands.since(), begins: commands.begins, take: commands.take, log });
  let link = connect();
  const reloads = oneByOne();

  return {
    id: first.agent,
    apply: (next) =>
      reloads(async () => {
        for (const field of ['agent', 'url', 'socket', 'state', 'spool'] as const)
          if (next[field] !== config[field]) throw new Error(`${field} was changed: restart the agent for that`);
        const isNewKey = next.key !== config.key;
        await useConfig(next);
        if (!isNewKey) return;
        // a key that was refused is not tried again by itself
        link.stop();
        link = connect();
      }),
    alert,
    async stop({ withServices = false } = {}) {
      link.stop();
      await figures.stop();
      // their outcome names the service as its config has it
      await commands.idle();
      await services.stop(withServices);
      for (const loop of logs.values()) await loop.stop();
      await inOrder(async () => undefined);
      sender.kick();
      for (const until = now() + GOODBYE_MS; now() < until && sender.isOnline !== false && (await outbox.next(1)) !== null; )
        await new Promise((resolve) => setTimeout(resolve, 50));
      await sender.stop();
      await unlock();
    },
  };
}

const spoolAlert = (agent: string, isFull: boolean, megabytes: number): Alert => ({
  level: isFull ? 'error' : 'info',
  title: isFull ? `log lines of ${agent} wait` : `log lines of ${agent} go on`,
  message: isFull
    ? `${megabytes} MB of lines wait to be sent: no more are read until there is room. Lines are lost if a file is deleted before that`
    : 'there is room again: lines are read where reading had stopped',
  category: 'logs',
  source: agent,
  actions: [],
  metadata: { spool_mb: megabytes, cleared: !isFull },
});
