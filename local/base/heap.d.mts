/** Bytes of the live objects of this thread: collects the garbage first, which takes a while. */
export function heapBytes(): number;
