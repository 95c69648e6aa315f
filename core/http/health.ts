import type { Catalogue, Connections } from '../ports.ts';

export interface Health {
  readonly status: 'ok';
  readonly version: string;
  readonly connections: number;
  /** Topics that somebody listens to. */
  readonly topics: number;
  /** The price feed as the watcher last saw it. */
  readonly feed: { readonly state: string; readonly last_tick: unknown; readonly gaps: unknown };
  /** Whether the newest quotes are being told again, and how many at the last look. */
  readonly broadcaster: { readonly state: 'retelling' | 'idle'; readonly topics: unknown; readonly checked_at: unknown };
}

export async function health(
  version: string,
  { connections, catalogue }: { connections: Connections; catalogue: Catalogue },
): Promise<Health> {
  const [{ count }, heard, feed] = await Promise.all([connections.counted(), catalogue.heard(), catalogue.status('feed')]);
  return {
    status: 'ok',
    version,
    connections: count,
    topics: heard.length,
    feed: { state: String(feed?.['state'] ?? 'unknown'), last_tick: feed?.['last_tick'] ?? null, gaps: feed?.['gaps'] ?? null },
    broadcaster: {
      state: feed?.['state'] === 'down' ? 'retelling' : 'idle',
      topics: feed?.['retold'] ?? 0,
      checked_at: feed?.['at'] ?? null,
    },
  };
}
