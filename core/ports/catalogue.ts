/** Small facts beside the topics: the known ones, the heard ones, first acceptances of published events, and notes of the minute's looks. */

export interface Acceptance {
  readonly acceptedAtMs: number;
  /** The event's index in its request. */
  readonly index: number;
}

export interface Catalogue {
  /** Adds topics of a channel. A name replaces the one the topic had; of a topic that comes twice the last name counts. */
  list(channel: string, entries: readonly { topic: string; name: string }[]): Promise<void>;
  /** Adds those topics that are not there yet, without name. Topics that this instance remembers cost no request. */
  listNew(channel: string, topics: readonly string[]): Promise<void>;
  topics(channel: string): Promise<{ topic: string; name: string | null }[]>;
  names(channel: string, topics: readonly string[]): Promise<Map<string, string>>;
  addHeard(topic: string, atMs: number): Promise<void>;
  /** The topic is about to be unheard. Until it is removed or added again, the sweep looks at it. */
  markLeaving(topic: string): Promise<void>;
  heard(): Promise<{ topic: string; atMs: number; leaving: boolean }[]>;
  /** Does nothing if the topic was added again since. */
  removeHeard(topic: string, atMs: number): Promise<void>;
  saveStatus(name: string, status: object): Promise<void>;
  status(name: string): Promise<Record<string, unknown> | null>;
  /** The acceptance an event id had first: `given`, unless the id was accepted within a day before. */
  firstAcceptance(eventId: string, given: Acceptance): Promise<Acceptance>;
}
