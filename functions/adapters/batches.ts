import { bounded } from '../../core/base/concurrency.ts';

/** EventBridge and SQS both take 10 entries and 1 MB a request; the envelope of each entry needs some room. */
const MAX_ENTRIES = 10;
const MAX_BYTES = 900_000;
const AT_ONCE = 8;

/**
 * Sends items as bodies in batches. `send` returns the indexes, in its batch, of those that were not taken; they are tried
 * once more. Returns the indexes, in `items`, of those that still were not. Throws only if nothing was taken.
 */
export async function sendInBatches<Item>(
  items: readonly Item[],
  bodyOf: (item: Item) => string,
  send: (bodies: string[]) => Promise<number[]>,
): Promise<number[]> {
  const refused: number[] = [];
  const failures: unknown[] = [];
  await bounded(batchesOf(items.map(bodyOf)), AT_ONCE, async (batch) => {
    try {
      const first = await send(batch.map(({ body }) => body));
      if (first.length === 0) return;
      const again = first.map((index) => batch[index] as Entry);
      const second = await send(again.map(({ body }) => body));
      refused.push(...second.map((index) => (again[index] as Entry).place));
    } catch (error) {
      // the other batches may have gone out: the publisher must not believe that nothing did
      failures.push(error);
      refused.push(...batch.map(({ place }) => place));
    }
  });
  if (failures.length > 0 && refused.length === items.length) throw failures[0];
  return refused;
}

interface Entry {
  readonly place: number;
  readonly body: string;
}

function batchesOf(bodies: readonly string[]): Entry[][] {
  const batches: Entry[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const [place, body] of bodies.entries()) {
    const size = Buffer.byteLength(body);
    if (bytes + size > MAX_BYTES || batches.at(-1)?.length === MAX_ENTRIES) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)?.push({ place, body });
    bytes += size;
  }
  return batches;
}
