/** Messages for whoever asks for them one at a time: the next is handed over when the one before was. */
export interface Pulled<Message> extends AsyncIterableIterator<Message> {
  /** Resolves once somebody has taken the message: until then nothing more is handed over. `taken` is called just before. */
  offer(message: Message, taken: () => void): Promise<void>;
  /** No more will come. Pending `next()` calls end, or reject with the error. */
  end(error?: Error): void;
}

export function pulled<Message>(onReturn: () => void): Pulled<Message> {
  let offered: { readonly message: Message; readonly taken: () => void } | null = null;
  const waiting: { readonly resolve: (result: IteratorResult<Message>) => void; readonly reject: (error: Error) => void }[] = [];
  let ended = false;
  let failure: Error | null = null;
  const done = { done: true, value: undefined } as const;
  const queue: Pulled<Message> = {
    offer(message, onTaken) {
      const asker = waiting.shift();
      if (asker) {
        onTaken();
        asker.resolve({ done: false, value: message });
        return Promise.resolve();
      }
      return new Promise((done) => {
        const taken = (): void => {
          onTaken();
          done();
        };
        offered = { message, taken };
      });
    },
    end(error) {
      ended = true;
      failure = error ?? null;
      for (const { resolve, reject } of waiting.splice(0)) {
        if (failure) reject(failure);
        else resolve(done);
      }
    },
    next() {
      if (offered) {
        const { message, taken } = offered;
        offered = null;
        taken();
        return Promise.resolve({ done: false, value: message });
      }
      if (ended) return failure ? Promise.reject(failure) : Promise.resolve(done);
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    return() {
      offered = null;
      ended = true;
      onReturn();
      return Promise.resolve(done);
    },
    [Symbol.asyncIterator]: () => queue,
  };
  return queue;
}
