// @ts-check
/** One execution environment of a function: the very bundle that is deployed, in a thread of its own. */
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

const { bundle, exportName, shift } = workerData;
const shifted = new Float64Array(shift);

const RealDate = Date;
/** The function's time follows the local run's. */
globalThis.Date = class extends RealDate {
  /** @param {any[]} parts */
  constructor(...parts) {
    // @ts-expect-error the parts are the real constructor's
    super(...(parts.length === 0 ? [RealDate.now() + (shifted[0] ?? 0)] : parts));
  }
  static now() {
    return RealDate.now() + (shifted[0] ?? 0);
  }
};

const module = await import(pathToFileURL(bundle).href);
const handler = module[exportName];
if (typeof handler !== 'function') throw new Error(`${bundle} exports no ${exportName}`);

parentPort?.on('message', async ({ event, context, deadlineMs }) => {
  try {
    const result = await handler(event, { ...context, getRemainingTimeInMillis: () => Math.max(0, deadlineMs - RealDate.now()) });
    parentPort?.postMessage({ result });
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    parentPort?.postMessage({ error: { name, message, stack } });
  }
});
parentPort?.postMessage({ ready: true });
