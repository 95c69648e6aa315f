import type { PublishKeys } from '../../core/ports/events.ts';

/** The publish keys, for a function that seldom needs them: their client is evaluated at the first key, and costs no cold start before. */
export function keysOnDemand(): PublishKeys {
  let loaded: Promise<PublishKeys> | null = null;
  return {
    async holderOf(key) {
      loaded ??= import('./publish-keys.ts').then(({ publishKeys }) => publishKeys());
      return (await loaded).holderOf(key);
    },
  };
}
