/** Listeners by the name of an event. One that throws does not keep the others from it. */
export interface Emitter<Events extends object> {
  /** Returns what ends it. Adding the same listener twice calls it once. */
  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): () => void;
  /** Returns whether anybody listens. */
  emit<Name extends keyof Events>(name: Name, value: Events[Name]): boolean;
}

export function emitter<Events extends object>(): Emitter<Events> {
  const listeners = new Map<keyof Events, Set<(value: never) => void>>();
  return {
    on(name, listener) {
      const those = listeners.get(name) ?? new Set();
      listeners.set(name, those.add(listener));
      return () => void those.delete(listener);
    },
    emit(name, value) {
      const those = [...(listeners.get(name) ?? [])];
      for (const listener of those) {
        try {
          (listener as (value: unknown) => void)(value);
        } catch (error) {
          // the caller's own fault: the program should see it, and the connection go on
          setTimeout(() => {
            throw error;
          });
        }
      }
      return those.length > 0;
    },
  };
}
