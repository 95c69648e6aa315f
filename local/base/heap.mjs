// @ts-check
/** The heap of this thread. In plain JavaScript, because the threads of functions and tables are. */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** @type {(() => void) | undefined} */
let collect;

/** Bytes of the live objects, buffers included: collects the garbage first, which takes a while. */
export function heapBytes() {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc');
  }
  // twice: what finalizers let go is collected by the second
  collect?.();
  collect?.();
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}
