// @ts-check
/** One execution environment of a function: the same bundle that is deployed, in a thread of its own. */
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { heapBytes } from '../base/heap.mjs';

const { bundle, exportName, shift } = workerData;
const shifted = new Float64Array(shift);

/** How long after a thaw the clock is set. */
const SET_AFTER_MS = 1_000;
/** How far the clock of a frozen environment lags behind, in ms. */
let behindMs = 0;

const RealDate = Date;
const now = () => RealDate.now() + (shifted[0] ?? 0) - behindMs;
/** Functions see the time of the local run. */
globalThis.Date = class extends RealDate {
  /** @param {any[]} parts */
  constructor(...parts) {
    // @ts-expect-error the parts are the real constructor's
    super(...(parts.length === 0 ? [now()] : parts));
  }
  static now() {
    return now();
  }
};

/** Response streaming as in Lambda's runtime: the head precedes the first piece, as JSON and eight NULs. */
const streaming = new WeakSet();
globalThis.awslambda = {
  /** @param {Function} handler */
  streamifyResponse(handler) {
    streaming.add(handler);
    return handler;
  },
  HttpResponseStream: {
    /** @param {Writable} stream @param {object} prelude */
    from(stream, prelude) {
      const write = stream.write.bind(stream);
      let headSent = false;
      stream.write = (/** @type {any[]} */ ...piece) => {
        if (!headSent) {
          headSent = true;
          write(`${JSON.stringify(prelude)}${'\0'.repeat(8)}`);
        }
        // @ts-expect-error the pieces are the real method's
        return write(...piece);
      };
      return stream;
    },
  },
};

const module = await import(pathToFileURL(bundle).href);
const handler = module[exportName];
if (typeof handler !== 'function') throw new Error(`${bundle} exports no ${exportName}`);

/** @param {string} id */
const streamOf = (id) =>
  new Writable({
    write(chunk, _, done) {
      parentPort?.postMessage({ id, chunk });
      done();
    },
  });

/** The clock of an environment that was frozen is set a moment after it thaws. @param {number} frozenMs */
function thaw(frozenMs) {
  behindMs = frozenMs;
  setTimeout(() => {
    behindMs = 0;
  }, SET_AFTER_MS);
}

/** @param {{ id: string, event: unknown, trace: string, context: object, deadlineMs: number, frozenMs: number }} invocation */
async function serve({ id, event, trace, context, deadlineMs, frozenMs }) {
  if (frozenMs > 0) thaw(frozenMs);
  // the SDK sends it along, as in Lambda: an environment serves one invocation at a time, and streams call no queue
  process.env['_X_AMZN_TRACE_ID'] = trace;
  const full = { ...context, getRemainingTimeInMillis: () => Math.max(0, deadlineMs + (shifted[0] ?? 0) - now()) };
  try {
    const result = streaming.has(handler) ? await handler(event, streamOf(id), full) : await handler(event, full);
    parentPort?.postMessage({ id, result });
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    parentPort?.postMessage({ id, error: { name, message, stack } });
  }
}

parentPort?.on('message', (message) => {
  if (message === 'heap') parentPort?.postMessage({ heap: heapBytes() });
  else void serve(message);
});
