import { bounded } from '../base/concurrency.ts';
import { METRIC } from '../names.ts';
import type { System, Worker, WorkerPorts } from './system.ts';

/** Finds a worker by its name. Throws if no system has it. */
export function workerNamed(name: string, systems: readonly System[]): Worker {
  for (const { workers } of systems) if (Object.hasOwn(workers, name)) return workers[name] as Worker;
  throw new Error(`no system has a worker ${name}`);
}

/** Does the work of some queue records, side by side. Returns the ids of those that must come back. */
export async function doWork(
  records: readonly { readonly id: string; readonly body: string }[],
  worker: Worker,
  ports: WorkerPorts,
): Promise<string[]> {
  const failed: string[] = [];
  await bounded(records, records.length, async ({ id, body }) => {
    try {
      await worker.serve(JSON.parse(body), ports);
    } catch (error) {
      ports.report.error('a worker failed, and its work comes back', error, { work: body.slice(0, 300) });
      ports.report.count(METRIC.errors);
      failed.push(id);
    }
  });
  return failed;
}
