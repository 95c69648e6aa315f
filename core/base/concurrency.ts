/**
 * Runs `work` over `items`, at most `limit` at a time, in order of start. The first failure is thrown after all that
 * had begun has ended; nothing new is begun after it.
 */
export async function bounded<Item>(items: Iterable<Item>, limit: number, work: (item: Item) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    while (failures.length === 0) {
      const next = queue.next();
      if (next.done) return;
      try {
        await work(next.value);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  if (failures.length > 0) throw failures[0];
}

/** The same items, each asked for while the one before it is being worked on. */
export async function* readAhead<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item, void> {
  const source = items[Symbol.asyncIterator]();
  let next = source.next();
  for (;;) {
    const { done, value } = await next;
    if (done) return;
    next = source.next();
    // it is awaited in the next turn of the loop; if the loop is left before, nobody asks how it ended
    next.catch(() => undefined);
    yield value;
  }
}

/** The items in lists of so many at most. */
export const chunksOf = <Item>(items: readonly Item[], size: number): Item[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
