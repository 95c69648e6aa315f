/**
 * Runs a service as processes of the agent. Each carries the service's mark, and the first one is noted once it is there:
 * an agent that comes back takes up a process that is noted, and ends every other one with the mark before it starts one.
 */
import type { ServiceMemory } from './memory.ts';
import { type ProcessForm, type StopPorts, startProcess, stopProcess } from './run.ts';
import type { Runner } from './service.ts';

export interface OwnRunnerForm {
  /** As its config is now. */
  command(): ProcessForm;
  /** Finds its processes again. */
  readonly mark: string;
  readonly memory: ServiceMemory;
  readonly ports: StopPorts;
}

/** A process that is not noted is asked for this long before it is killed, in ms. */
const STRAY_GRACE_MS = 2_000;

export function ownRunner({ command, mark, memory, ports }: OwnRunnerForm): Runner {
  const { proc } = ports;
  let how: string | null = null;
  const endStrays = async (): Promise<void> => {
    for (const pid of await proc.marked(mark)) {
      const stray = await proc.identityOf(pid);
      if (stray) await stopProcess(stray, mark, STRAY_GRACE_MS, ports);
    }
  };
  return {
    async start() {
      // also what it left behind when it died: a grandchild may hold its port
      await endStrays();
      await memory.note({ identity: null });
      how = null;
      const { identity, ended } = await startProcess(command(), mark, proc);
      ended.then(
        ({ code, signal }) => {
          how = signal === null ? `with code ${code}` : `by ${signal}`;
        },
        () => undefined,
      );
      await memory.note({ identity });
      return identity.pid;
    },
    async stop(graceMs) {
      const { identity } = memory;
      if (!identity) {
        await endStrays();
        return { killed: false, escaped: 0, left: (await proc.marked(mark)).length };
      }
      const stopped = await stopProcess(identity, mark, graceMs, ports);
      if (stopped.left === 0) await memory.note({ identity: null });
      return stopped;
    },
    async pid() {
      const { identity } = memory;
      return identity && (await proc.isAlive(identity)) ? identity.pid : null;
    },
    ending: () => how,
  };
}
