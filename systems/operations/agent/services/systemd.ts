/** Runs a service as a unit of systemd. `systemctl start` succeeds for a unit that dies at once: the unit is looked at for a while. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Runner } from './service.ts';

/** A unit that still runs after this has started, in ms. */
const STARTED_MS = 2_000;
const LOOK_MS = 200;
/** systemd's own limit for a stop is 90 s by default. */
const COMMAND_MS = 120_000;
/** A look must not hold up everything else. */
const SHOW_MS = 10_000;

/** The state of a unit, as `systemctl show` has it. */
interface UnitState {
  readonly active: string;
  readonly sub: string;
  readonly result: string;
  readonly restarts: number;
  readonly pid: number;
  readonly loaded: string;
}

export interface SystemdPorts {
  sleep(ms: number): Promise<void>;
  now(): number;
}

const run = promisify(execFile);

export function systemdRunner(unit: string, { sleep, now }: SystemdPorts): Runner {
  const systemctl = async (...args: string[]): Promise<string> => {
    try {
      return (await run('systemctl', args, { timeout: args[0] === 'show' ? SHOW_MS : COMMAND_MS })).stdout;
    } catch (error) {
      const { code, stderr = '' } = error as { code?: unknown; stderr?: string };
      if (code === 'ENOENT') throw new Error('there is no systemctl on this machine');
      throw new Error(stderr.trim().split('\n')[0] || `systemctl ${args[0]} ended with ${String(code)}`);
    }
  };
  const show = async (): Promise<UnitState> => {
    const properties = ['ActiveState', 'SubState', 'Result', 'NRestarts', 'MainPID', 'LoadState'];
    const text = await systemctl('show', unit, `--property=${properties.join(',')}`);
    const fields = Object.fromEntries(text.split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1).trim()]));
    const [active = '', sub = '', result = '', restarts = '0', pid = '0', loaded = ''] = properties.map((name) => fields[name]);
    return { active, sub, result, restarts: Number(restarts), pid: Number(pid), loaded };
  };
  let how: string | null = null;
  let isStopped = false;
  const runs = ({ active, pid }: UnitState): boolean => (active === 'active' || active === 'reloading') && pid > 0;
  const problemOf = ({ active, sub, result, loaded }: UnitState): string => {
    if (loaded === 'not-found') return `there is no unit ${unit}`;
    if (result === 'start-limit-hit') return `${unit} was started too often: systemd refuses it until its start limit is over`;
    return `${unit} is ${active} (${sub}), result ${result}`;
  };
  return {
    async start() {
      const before = await show();
      if (before.loaded === 'not-found') throw new Error(problemOf(before));
      // a unit that hit its limit would be refused
      if (before.result === 'start-limit-hit') await systemctl('reset-failed', unit);
      const failure = await systemctl('start', unit).then(
        () => null,
        (error: Error) => error,
      );
      const { restarts } = await show();
      for (const until = now() + STARTED_MS; ; await sleep(LOOK_MS)) {
        const state = await show();
        if (state.active === 'failed' || state.restarts > restarts) throw new Error(problemOf(state));
        if (failure) throw failure;
        if (now() < until) continue;
        if (!runs(state)) throw new Error(problemOf(state));
        return state.pid;
      }
    },
    async stop(graceMs) {
      // systemd gives a unit the time that the unit itself names
      if (graceMs <= 0) await systemctl('kill', '--signal=SIGKILL', unit).catch(() => undefined);
      await systemctl('stop', unit);
      const state = await show();
      return {
        killed: graceMs <= 0 || state.result === 'timeout',
        escaped: 0,
        left: runs(state) || state.active === 'deactivating' ? 1 : 0,
      };
    },
    async pid() {
      const state = await show();
      how = runs(state) ? null : `(${state.active}, result ${state.result})`;
      isStopped = state.active === 'inactive' && state.result === 'success';
      return runs(state) ? state.pid : null;
    },
    ending: () => how,
    wasStopped: () => isStopped,
  };
}
