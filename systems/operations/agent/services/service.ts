/**
 * One service: what is wanted of it, what it is, and the one thing that is being done about it. Every wish and every death
 * goes through `turn`, one after another: a start never overtakes a stop, and a stop ends a pause before a restart.
 */
import { oneByOne } from '../loop.ts';
import { countDeaths, FAILING, RECOVERED_MS, WELL_MS } from './backoff.ts';

/** A process of the service, whatever runs it: the agent itself, or systemd. */
export interface Runner {
  /** Starts it. Resolves with its pid once it runs; throws if it cannot be started. */
  start(): Promise<number>;
  /** Ends it with everything that it started. `graceMs` 0 = at once. */
  stop(graceMs: number): Promise<{ readonly killed: boolean; readonly escaped: number; readonly left: number }>;
  /** The pid if it runs. */
  pid(): Promise<number | null>;
  /** Its end, such as `with code 1`; `null` = that is not known. */
  ending(): string | null;
  /** It was stopped on purpose, and not by this agent. */
  wasStopped?(): boolean;
}

export type EventType = 'started' | 'stopped' | 'restarted' | 'error' | 'recovered';

/** A change, as it is published. */
export interface Change {
  readonly type: EventType;
  readonly status: 'running' | 'stopped' | 'failed';
  readonly message: string;
  readonly pid: number | null;
  readonly commandId: string | null;
}

export interface ServicePorts {
  readonly runner: Runner;
  /** A clock that only goes forward, in ms. */
  now(): number;
  random(): number;
  /** Notes whether it should run: on disk when this resolves. */
  noteWanted(wanted: boolean): Promise<void>;
  /** Published, in this order. */
  changed(change: Change): void;
  /** It died so often that somebody must look; and that it is well again. */
  failing(isFailing: boolean): void;
}

export interface Wish {
  readonly action: 'start' | 'stop' | 'restart';
  readonly graceMs: number;
  readonly commandId: string | null;
  /** Looked at when its turn comes: what it waited for may have taken longer than the one who asked waits. @default it never expires */
  isExpired?(): boolean;
}

export interface Service {
  /** Its pid, as it was seen last; `null` = it does not run. */
  readonly pid: number | null;
  /** Carries out a wish; resolves when it is done, and `changed` was called with its outcome. */
  ask(wish: Wish): Promise<void>;
  /** Looks whether it still runs, and starts it again when its pause is over. Called every second or so. */
  look(): Promise<void>;
}

/** @param wanted whether it should run, as it was before the agent started */
export function superviseService(
  name: string,
  wanted: boolean,
  { runner, now, random, noteWanted, changed, failing }: ServicePorts,
): Service {
  const deaths = countDeaths(random);
  let wants = wanted;
  /** The pid that is known to run; `null` = none. */
  let running: number | null = null;
  let since = 0;
  /** When it is started again, in ms; `null` = it is not waiting for that. */
  let startAt: number | null = wanted ? 0 : null;
  let isDead = false;
  let isFailing = false;
  let isAnnounced = false;

  const turn = oneByOne();
  const report = (type: EventType, status: Change['status'], message: string, commandId: string | null = null): void =>
    changed({ type, status, message, pid: running, commandId });

  const start = async (): Promise<void> => {
    running = await runner.start();
    since = now();
    startAt = null;
  };
  const died = (why: string): void => {
    running = null;
    isDead = true;
    startAt = now() + deaths.note(now());
    report('error', 'failed', `${name} ${why}${wants ? '; it is started again' : ''}`);
    if (deaths.count < FAILING || isFailing) return;
    isFailing = true;
    failing(true);
  };
  /** An administrator stopped it: the agent does not work against people. */
  const stoppedElsewhere = async (): Promise<void> => {
    await noteWanted(false);
    [running, startAt, wants] = [null, null, false];
    report('stopped', 'stopped', `${name} was stopped by somebody else`);
  };
  /** Starts it after a death or a start of the agent; a failure is a death. */
  const startAgain = async (): Promise<void> => {
    try {
      await start();
    } catch (error) {
      died(`could not be started: ${(error as Error).message}`);
      return;
    }
    if (!isDead) report('started', 'running', `${name} was started`);
  };

  /** As the agent finds it: what was never heard of cannot be controlled. */
  const announce = async (): Promise<void> => {
    isAnnounced = true;
    running = await runner.pid();
    if (running !== null) {
      [since, startAt] = [now(), null];
      report('started', 'running', `${name} runs`);
    } else if (!wants) report('stopped', 'stopped', `${name} does not run`);
  };

  const carryOut = async ({ action, graceMs, commandId, isExpired }: Wish): Promise<void> => {
    if (isExpired?.())
      return report(
        'error',
        running === null ? 'stopped' : 'running',
        `${action} of ${name} had to wait too long, and was not done`,
        commandId,
      );
    // before it is done: an agent that comes back goes on with it
    await noteWanted(action !== 'stop');
    wants = action !== 'stop';
    startAt = null;
    running = await runner.pid();
    if (action === 'start' && running !== null) return report('started', 'running', `${name} runs already`, commandId);
    if (running !== null || action !== 'start') {
      // one that died may have left others, which hold its port
      const { killed, escaped, left } = await runner.stop(graceMs);
      if (left > 0) {
        report('error', 'failed', `${name} could not be stopped: ${left} of its processes are left`, commandId);
        return;
      }
      const what = running === null ? 'does not run' : 'was stopped';
      running = null;
      const how = `${killed ? '; it had to be killed' : ''}${escaped > 0 ? `; ${escaped} of its processes had left its group` : ''}`;
      if (action === 'stop') return report('stopped', 'stopped', `${name} ${what}${how}`, commandId);
    }
    isDead = false;
    try {
      await start();
    } catch (error) {
      startAt = now() + deaths.note(now());
      isDead = true;
      return report('error', 'failed', `${name} could not be started: ${(error as Error).message}`, commandId);
    }
    report(action === 'restart' ? 'restarted' : 'started', 'running', `${name} was ${action}ed`, commandId);
  };

  return {
    get pid() {
      return running;
    },
    ask: (wish) =>
      turn(async () => {
        try {
          await carryOut(wish);
        } finally {
          // whatever failed: what is wanted is started again
          if (wants && running === null) startAt ??= now();
        }
      }),
    look: () =>
      turn(async () => {
        if (running !== null && (await runner.pid()) !== running) {
          if (runner.wasStopped?.()) await stoppedElsewhere();
          else died(`ended${ending(runner)}`);
        }
        const ranMs = running === null ? 0 : now() - since;
        if (isDead && ranMs >= RECOVERED_MS) {
          isDead = false;
          report('recovered', 'running', `${name} runs again`);
        }
        if (ranMs >= WELL_MS) {
          deaths.forget();
          if (isFailing) failing(false);
          isFailing = false;
        }
        if (!isAnnounced) await announce();
        if (wants && running === null && startAt !== null && now() >= startAt) await startAgain();
      }),
  };
}

const ending = (runner: Runner): string => {
  const how = runner.ending();
  return how === null ? ' unexpectedly' : ` ${how}`;
};
