#!/usr/bin/env -S node --max-semi-space-size=1 --optimize-for-size
/** The host agent (`docs/operations.md`): `realtime-push-agent [FILE]`. The flags above keep it small: it shares its machine. */
import './node-version.ts';

import { resolve } from 'node:path';
import { type Agent, startAgent } from '../systems/operations/agent/agent.ts';
import { loadConfig, watchConfig } from '../systems/operations/agent/load.ts';
import type { Log } from '../systems/operations/agent/log.ts';
import type { Alert } from '../systems/operations/agent/machine/report.ts';
import { commandLine } from './command-line.ts';

const USAGE = `usage: realtime-push-agent [FILE] [--check]

Tells a realtime-push deployment how this machine and its services are, brings
log lines, and carries out start, stop and restart of the services in FILE.

  FILE      config, JSON (default: agent.json): agent, url and key are enough
  --check   reads the config, says what is wrong with it, and ends

A changed FILE is read anew by itself, or at once on SIGHUP. Ctrl-C ends the
agent; its services go on, and the next agent takes them up.`;

const log: Log = (level, message) => console.error(`${new Date().toISOString()} ${level} agent: ${message}`);

/** Ends the process with a message, and no stack. */
function refuse(message: string): never {
  console.error(message);
  process.exit(1);
}

async function main(): Promise<void> {
  if (process.platform !== 'linux') refuse(`the agent runs on Linux: it reads /proc, which ${process.platform} has not`);
  const { values, positionals } = commandLine(USAGE, {
    options: { check: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const [file = 'agent.json', ...more] = positionals;
  if (more.length > 0) refuse(`expected one FILE, got ${positionals.join(' ')}\n${USAGE}`);
  const loaded = await loadConfig(file).catch((error: Error) => refuse(error.message));
  for (const warning of loaded.warnings) log('WARNING', warning);
  if (values.check) return console.log(`${file} is good: ${loaded.config.services.size} services, ${loaded.config.logs.length} logs`);
  if (process.pid === 1) log('WARNING', 'the agent is process 1, and nobody reaps what its services leave behind: run it under tini');
  let running: Agent | null = null;
  process.on('SIGHUP', () => void (running && reload(file, running)));
  const agent = await startAgent({ ...loaded, configFile: resolve(file), environment: process.env, log }).catch((error: Error) =>
    refuse(error.message),
  );
  const watcher = watchConfig(
    file,
    () => reload(file, agent),
    ({ message }) => log('ERROR', message),
  );
  running = agent;
  let isEnding = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      // a second one does not wait
      if (isEnding) process.exit(130);
      isEnding = true;
      log('INFO', 'stopping; the services go on');
      void watcher
        .stop()
        .then(() => agent.stop())
        .then(
          () => process.exit(0),
          (error: Error) => refuse(error.message),
        );
    });
}

/** A config that is no good changes nothing. */
async function reload(file: string, agent: Agent): Promise<void> {
  try {
    await agent.apply((await loadConfig(file)).config);
    log('INFO', `${file} was read anew`);
  } catch (error) {
    const { message } = error as Error;
    log('ERROR', `${file} was changed, and the config before goes on: ${message}`);
    const alert: Alert = {
      level: 'warning',
      title: 'a changed config was not taken',
      message: `the config before goes on: ${message}`,
      category: 'config',
      source: agent.id,
      actions: [],
      metadata: { config_file: resolve(file) },
    };
    await agent.alert(alert).catch((failure: Error) => log('ERROR', `the alert could not be kept: ${failure.message}`));
  }
}

await main();
