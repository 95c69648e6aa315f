/** The services of the config: one is made, kept and let go as the config says. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceConfig } from '../config.ts';
import { type Loop, repeat } from '../loop.ts';
import { openServiceMemory, type ServiceMemory } from './memory.ts';
import { ownRunner } from './own-runner.ts';
import type { Proc } from './proc.ts';
import { killProcess, type StopPorts } from './run.ts';
import { type Change, type Runner, type Service, superviseService, type Wish } from './service.ts';
import { systemdRunner } from './systemd.ts';

/** Between two looks at a service, in ms. A look at a unit is a process of its own, and systemd itself restarts what dies. */
const LOOK_MS = 1_000;
const UNIT_LOOK_MS = 5_000;

export interface ServicesPorts {
  /** Folder for what is remembered, and for the services' output. */
  readonly state: string;
  readonly proc: Proc;
  /** Variables of every service, beside its own. */
  readonly environment: NodeJS.ProcessEnv;
  /** A clock that only goes forward, in ms. */
  now(): number;
  random(): number;
  changed(id: string, change: Change): void;
  failing(id: string, isFailing: boolean): void;
  /** Its config was changed; it is used from the next start on. */
  reconfigured(id: string, pid: number | null): void;
  failed(id: string, error: Error): void;
}

interface Kept {
  config: ServiceConfig;
  readonly memory: ServiceMemory;
  readonly runner: Runner;
  readonly service: Service;
  readonly looks: Loop;
}

export interface Services {
  /** Number of those that run. */
  running(): number;
  has(id: string): boolean;
  config(id: string): ServiceConfig | undefined;
  pid(id: string): Promise<number | null>;
  /** Resolves when it is done; `changed` is called with its outcome. */
  ask(id: string, wish: Wish): Promise<void>;
  /** Takes a new config: services that are gone from it are stopped. Returns what went wrong; the other services have their new config. */
  apply(configs: ReadonlyMap<string, ServiceConfig>): Promise<readonly string[]>;
  /** Ends the supervision. The services go on, unless they are to be stopped too. */
  stop(withServices: boolean): Promise<void>;
}

/** Paths of the output of services that the agent runs itself. */
export const outputOf = (state: string, id: string): string => join(state, 'services', `${fileName(id)}.log`);

/** An id may hold anything. */
const fileName = (id: string): string => encodeURIComponent(id).replaceAll('.', '%2E');

export async function startServices(ports: ServicesPorts): Promise<Services> {
  const { state, proc, now } = ports;
  const folder = join(state, 'services');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const all = new Map<string, Kept>();
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const stopPorts: StopPorts = { proc, now, sleep, kill: killProcess };

  const keep = async (id: string, config: ServiceConfig): Promise<void> => {
    const memory = await openServiceMemory(join(folder, `${fileName(id)}.json`));
    const kept = { config, memory } as { config: ServiceConfig } & Kept;
    const runner: Runner =
      config.unit == null
        ? ownRunner({
            mark: `${state}#${id}`,
            memory,
            ports: stopPorts,
            // made anew at each start: what was taken out of the config is gone
            command: () => ({
              command: kept.config.command ?? [],
              folder: kept.config.folder ?? null,
              environment: { ...ports.environment, ...kept.config.environment },
              output: outputOf(state, id),
            }),
          })
        : systemdRunner(config.unit, { sleep, now });
    // what was never wished for is started only if it is no unit; what runs was not stopped, whatever was wished
    const wanted = (await runner.pid().catch(() => null)) !== null || (memory.wanted ?? config.unit == null);
    const service = superviseService(config.name ?? id, wanted, {
      runner,
      now,
      random: ports.random,
      noteWanted: (wanted) => memory.note({ wanted }),
      changed: (change) => ports.changed(id, change),
      failing: (isFailing) => ports.failing(id, isFailing),
    });
    const looks = repeat(
      config.unit == null ? LOOK_MS : UNIT_LOOK_MS,
      async () => {
        await service.look();
        return false;
      },
      (error) => ports.failed(id, error),
    );
    all.set(id, Object.assign(kept, { runner, service, looks }));
  };
  const letGo = async (id: string, isStopped: boolean): Promise<void> => {
    const kept = all.get(id);
    if (!kept) return;
    // a stop that fails leaves it supervised
    if (isStopped) await kept.service.ask({ action: 'stop', graceMs: kept.config.grace * 1000, commandId: null });
    await kept.looks.stop();
    all.delete(id);
  };
  const ask = async (id: string, wish: Wish): Promise<void> => {
    const kept = all.get(id);
    if (!kept) throw new Error(`there is no service ${id}`);
    await kept.service.ask(wish);
  };
  const change = async (id: string, config: ServiceConfig | undefined): Promise<void> => {
    const kept = all.get(id);
    if (!config) return letGo(id, true);
    if (!kept) return keep(id, config);
    if (JSON.stringify(kept.config) === JSON.stringify(config)) return;
    if (kept.config.unit !== config.unit) {
      // another runner: what it ran is not what the new one would stop
      await letGo(id, true);
      await keep(id, config);
    }
    kept.config = config;
    ports.reconfigured(id, all.get(id)?.service.pid ?? null);
  };
  return {
    running: () => [...all.values()].filter(({ service }) => service.pid !== null).length,
    has: (id) => all.has(id),
    config: (id) => all.get(id)?.config,
    pid: async (id) => (await all.get(id)?.runner.pid()) ?? null,
    ask,
    async apply(configs) {
      const problems: string[] = [];
      for (const id of new Set([...all.keys(), ...configs.keys()]))
        await change(id, configs.get(id)).catch(({ message }: Error) => problems.push(`${id}: ${message}`));
      return problems;
    },
    async stop(withServices) {
      await Promise.all([...all.keys()].map((id) => letGo(id, withServices)));
    },
  };
}
