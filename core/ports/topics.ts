/** Topics: their newest message, their log, and their own notes. */

/** Makes `value` the newest of one part of a state topic, unless that part holds one of the same or a later order. */
export interface StateCommit {
  readonly kind: 'state';
  readonly topic: string;
  /** Each part of a state item is newest-wins on its own; most channels have one. */
  readonly part: string;
  /** Made by `orderOf`. */
  readonly order: string;
  readonly value: object;
  /** Texts to append to lists among the topic's notes, by name, in the same write. */
  readonly append: Readonly<Record<string, string>>;
  /** The event claimed a time too far ahead, and counts as accepted now. */
  readonly ahead: boolean;
}

/** A topic's state item. A topic that was neither written to nor subscribed to has none. */
export interface TopicState {
  readonly topic: string;
  readonly epoch: string;
  /** Offset of the newest message; of a log topic a hint that may lag behind. */
  readonly head: number;
  /** State topics: the newest message, in its parts. */
  readonly parts: Readonly<Record<string, object>>;
  /** Kept on the item by the topic's channel, for itself. */
  readonly notes: Readonly<Record<string, unknown>>;
  /** Whether anybody may be subscribed. Other topics are not drained. */
  readonly heard: boolean;
  /** Head when the current listeners arrived. Subscriptions that are not late need nothing at or below it. */
  readonly heardFrom: number;
  /** When it may be forgotten, in ms, unless it is written or subscribed to before; `null` = never. */
  readonly expiresAtMs: number | null;
}

export interface LogMessage {
  readonly offset: number;
  readonly eventId: string;
  /** When it was committed, to the second, in ms. */
  readonly atMs: number;
  readonly value: object;
}

export interface Topics {
  /**
   * MUST be one conditional update. `changed` is false if the part holds the same or a later order. An order later than
   * `latest` is not believed, and gives way.
   */
  commitState(commit: StateCommit, latest: string): Promise<{ readonly changed: boolean; readonly state: TopicState }>;
  /** Sets notes by name. MUST do nothing if a message was committed since `seen`. */
  note(seen: TopicState, notes: Readonly<Record<string, unknown>>): Promise<void>;
  /** Strongly consistent. Topics without item are left out. */
  read(topics: readonly string[]): Promise<Map<string, TopicState>>;
  /** Marks the topic as heard, and makes it at offset 0 if need be. Returns the item as it is afterwards. */
  hear(topic: string): Promise<TopicState>;
  /** Takes the mark back, under a stamp. */
  unhear(topic: string, stamp: string): Promise<void>;
  /** Nobody was subscribed after that: a topic that never had a message is forgotten. MUST do nothing if the topic is heard again, or has been in between. */
  desert(topic: string, stamp: string): Promise<void>;
  /** Makes the topic at offset 0 if need be. Returns the item as it is afterwards. */
  create(topic: string): Promise<TopicState>;

  /** The base of an event on a log topic: `base` if the event is new, else the one of its first try. */
  eventBase(topic: string, eventId: string, base: number): Promise<number>;
  /** MUST take the offset only if it is free. Taken by the same event counts as put. */
  putLog(topic: string, offset: number, eventId: string, value: object): Promise<'put' | 'taken'>;
  /** Raises the head if it is lower, and makes the item if need be. Returns it as it is afterwards. */
  raiseHead(topic: string, head: number): Promise<TopicState>;
  /** Messages after an offset, ascending, at most `limit`, without expired ones. Strongly consistent. */
  readLog(topic: string, after: number, limit: number): Promise<LogMessage[]>;
  /** When the next message after an offset was committed, in ms, even if it has expired since; `null` if there is none. */
  committedAfter(topic: string, after: number): Promise<number | null>;
}
