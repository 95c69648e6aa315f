/**
 * Runs `work` over `items`, at most `limit` at a time, in the order given. After a failure nothing new starts; the
 * failure is thrown when everything in flight has ended.
 */
export async function bounded<Item>(items: Iterable<Item>, limit: number, work: (item: Item) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const workThrough = async (first: Item): Promise<void> => {
    for (let next: IteratorResult<Item> = { done: false, value: first }; !next.done; next = queue.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failures.push(error);
      }
      if (failures.length > 0) return;
    }
  };
  const workers: Promise<void>[] = [];
  // no more workers than items: most calls have few
  while (workers.length < limit && failures.length === 0) {
    const next = queue.next();
    if (next.done) break;
    workers.push(workThrough(next.value));
  }
  await Promise.all(workers);
  if (failures.length > 0) throw failures[0];
}

/** The same items, each fetched while the one before it is being worked on. */
export async function* readAhead<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item, void> {
  const source = items[Symbol.asyncIterator]();
  let next = source.next();
  for (;;) {
    const { done, value } = await next;
    if (done) return;
    next = source.next();
    // the loop awaits it in its next turn; if the loop is left before, its failure must not end the process
    next.catch(() => undefined);
    yield value;
  }
}

/** The items in lists of at most `size`. */
export const chunksOf = <Item>(items: readonly Item[], size: number): Item[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
