import type { WorkRecord } from '../ports/jobs.ts';
import type { Ports } from '../ports/ports.ts';
import { serveEach } from './each-record.ts';
import type { System, Worker, WorkerPorts } from './system.ts';

/** Finds a worker by its name. Throws if no system has it. */
export function workerNamed(name: string, systems: readonly System[]): Worker {
  for (const { workers } of systems) if (Object.hasOwn(workers, name)) return workers[name] as Worker;
  throw new Error(`no system has a worker ${name}`);
}

export type WorkPorts = WorkerPorts & Pick<Ports, 'deadLetters'>;

/** Does the work of some queue records, side by side. Returns the ids of those that must come back. */
export const doWork = (records: readonly WorkRecord[], worker: Worker, ports: WorkPorts): Promise<string[]> =>
  serveEach(records, (work) => worker.serve(work, ports), ports, {
    message: 'a worker failed, and its work comes back',
    name: worker.isSecret ? null : 'work',
  });
