/** A client's announcement of itself, and its choice about default subscriptions. */
import type { Defaults } from './connections.ts';

export interface Announcement {
  readonly clientId: string;
  readonly info: Readonly<Record<string, unknown>>;
}

export interface Announcements {
  /**
   * Stores the announcement. Its client id, and whether the client keeps its default subscriptions, are set only if not
   * settled before. Returns what holds afterwards; `null` = the connection is gone.
   */
  announce(
    connectionId: string,
    announcement: Announcement,
    defaults: Defaults,
    expiresAtMs: number,
  ): Promise<{ readonly announced: string; readonly defaults: Defaults } | null>;
  /** From now on the client chooses, unless it has its default subscriptions: then false, and nothing changes. */
  chooseUnlessAll(connectionId: string): Promise<boolean>;
  /** From now on the client chooses. */
  choose(connectionId: string): Promise<void>;
}
