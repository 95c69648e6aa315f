/**
 * The subscriptions on one socket. For each topic there is what the program wants and what the server was last asked for; at
 * most one request for a topic is under way, because the gateway does not keep the order of messages. So the last wish wins,
 * however replies come.
 */
import type { Env } from './env.ts';
import { ClientError } from './errors.ts';
import type { Wire } from './follower.ts';
import { broadcastOf, shapeOf } from './known.ts';
import { type Position, parsePosition } from './position.ts';
import type { Socket } from './socket.ts';
import {
  answered,
  forget,
  hasCaughtUp,
  isWanted,
  resume,
  type Start,
  setDenied,
  startOf,
  type Topic,
  type Topics,
  take,
} from './topics.ts';

/** A reply that has not come by then is asked for again, so often, each time after twice as long; then the socket is given up. In ms. */
const REPLY_MS = 15_000;
const ASKED_AGAIN = 2;

/** Topics in one message; with long names fewer, so that they fit into a frame with their positions. */
const TOPICS_AT_ONCE = 100;
const FEW_AT_ONCE = 20;
const SHORT_NAME = 40;

/** A subscribe that the server was too busy for is repeated after this long, doubling, in ms. */
const BUSY_MS = 2_000;

/** A topic as the server was asked for it, on this socket. */
interface Asked {
  state: 'subscribing' | 'on' | 'ending';
  /** Of the topic, when it was asked for. */
  version: number;
  start: Start;
  /** Up to where everything must have come before the topic has caught up; `null` = it has not been answered. */
  head: Position | null;
  caughtUp: boolean;
  cancel: () => void;
}

export interface Subscriptions {
  /** Asks for what is wanted and was not asked for. */
  sync(): void;
  /** Serves a message. False if it is none of a subscription. */
  message(message: Wire): boolean;
  /** Every wanted topic was answered, and has everything up to the head of that moment. */
  readonly hasCaughtUp: boolean;
  /** The same of one topic. */
  caughtUp(topic: string): boolean;
  close(): void;
}

export interface SubscriptionsEvents {
  caughtUp(): void;
  changed(topic: Topic): void;
  failed(error: ClientError): void;
  /** The server does not answer. */
  stuck(): void;
}

export function createSubscriptions(socket: Socket, topics: Topics, env: Env, events: SubscriptionsEvents): Subscriptions {
  const asked = new Map<string, Asked>();
  let syncing = false;
  let closed = false;
  let reported = false;
  /** A message was refused whole, for a reason that names no topic. */
  let unread: ClientError | null = null;

  const subscriptions: Subscriptions = {
    sync() {
      if (syncing || closed) return;
      syncing = true;
      // wishes of one turn go out together
      queueMicrotask(() => {
        syncing = false;
        // before that nothing could be sent: when it opens everything is asked for
        if (!closed && socket.isOpen) ask();
      });
    },
    message(message) {
      const { type, topic: name } = message;
      if ((type === 'subscribed' || type === 'unsubscribed') && typeof name === 'string') {
        if (type === 'subscribed') onSubscribed(name, message);
        else onUnsubscribed(name, message);
        look();
        return true;
      }
      if (type === 'error') return onError(message);
      if (message['position'] === undefined && shapeOf(message) === null) return false;
      const { topic, taken } = take(message, topics);
      if (topic && taken !== 'taken') {
        resume(topic);
        subscriptions.sync();
      }
      if (topic && !asked.get(topic.name)?.caughtUp) look();
      return true;
    },
    get hasCaughtUp() {
      return [...topics.all.values()].every((topic) => !isWanted(topic) || asked.get(topic.name)?.caughtUp === true);
    },
    caughtUp: (name) => asked.get(name)?.caughtUp === true,
    close() {
      closed = true;
      for (const { cancel } of asked.values()) cancel();
    },
  };

  const ask = (): void => {
    const wishes: Topic[] = [];
    const ends: string[] = [];
    for (const [name, { state }] of asked) {
      const topic = topics.all.get(name);
      if (state === 'on' && !(topic && isWanted(topic))) ends.push(name);
    }
    for (const topic of topics.all.values()) {
      const there = asked.get(topic.name);
      if (isWanted(topic)) {
        if (!there || (there.state === 'on' && there.version !== topic.version)) wishes.push(topic);
      } else if (!there && topic.followers.size === 0) forget(topic, topics);
    }
    for (const name of ends) note(name, 'ending', topics.all.get(name)?.version ?? 0, NOWHERE, 0);
    for (const some of chunks(ends)) send({ type: 'unsubscribe', topics: some });
    for (const topic of wishes) note(topic.name, 'subscribing', topic.version, startOf(topic), 0);
    for (const message of subscribes(wishes, (name) => asked.get(name)?.start ?? NOWHERE)) send(message);
    look();
  };

  /** Notes what was asked for, and asks again if no reply comes. */
  const note = (name: string, state: 'subscribing' | 'ending', version: number, start: Start, tries: number): void => {
    const before = asked.get(name);
    before?.cancel();
    const cancel = env.after(REPLY_MS * 2 ** tries, () => {
      const topic = topics.all.get(name);
      if (tries === ASKED_AGAIN) {
        // it was asked for alone: what the server could not read was this
        if (!unread || !topic) return events.stuck();
        asked.delete(name);
        return deny(topic, unread);
      }
      note(name, state, topic?.version ?? version, topic ? startOf(topic) : start, tries + 1);
      if (state === 'ending' || !topic) return send({ type: 'unsubscribe', topics: [name] });
      for (const message of subscribes([topic], () => asked.get(name)?.start ?? NOWHERE)) send(message);
    });
    asked.set(name, { head: null, caughtUp: false, ...before, state, version, start, cancel });
  };

  const send = (message: object): void => {
    try {
      socket.send(message);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      // the socket reports its own end
      if (error.fatal) events.failed(error);
    }
  };

  const onSubscribed = (name: string, reply: Wire): void => {
    const there = asked.get(name);
    const topic = topics.all.get(name);
    there?.cancel();
    if (!there) return; // it was denied meanwhile, or is of no topic here
    there.state = 'on';
    there.head = parsePosition(reply['position']);
    if (topic) {
      answered(topic, reply, there.start, subscriptions, topics);
      events.changed(topic);
    }
    subscriptions.sync();
  };

  const onUnsubscribed = (name: string, { reason }: Wire): void => {
    const there = asked.get(name);
    there?.cancel();
    asked.delete(name);
    const topic = topics.all.get(name);
    if (topic && there?.state !== 'ending' && typeof reason === 'string') {
      const error = new ClientError('PERMISSION_DENIED', reason, { fatal: true, topics: [name] });
      deny(topic, error);
      events.failed(error);
    }
    subscriptions.sync();
  };

  /** An error about topics ends them, or asks again if the server was only busy. */
  const onError = (message: Wire): boolean => {
    const { error_code: code, error_message: text, details } = (message['data'] ?? {}) as Wire;
    const named = ((details ?? {}) as Wire)['topics'];
    const about = Array.isArray(named) ? named.filter((name): name is string => typeof name === 'string' && asked.has(name)) : [];
    if (about.length === 0) {
      if (code === 'INVALID_MESSAGE_FORMAT') unread = new ClientError(String(code), String(text), { fatal: true });
      return false;
    }
    const isBusy = code === 'RATE_LIMIT_EXCEEDED' || code === 'INTERNAL_SERVER_ERROR';
    const error = new ClientError(String(code), String(text), { fatal: !isBusy, topics: about });
    for (const name of about) {
      const there = asked.get(name);
      if (there?.state !== 'subscribing') continue;
      there.cancel();
      const topic = topics.all.get(name);
      if (!isBusy) {
        asked.delete(name);
        if (topic) deny(topic, error);
        continue;
      }
      there.cancel = env.after(BUSY_MS * 2 ** Math.min(topic ? topic.busy++ : 0, 5) * (1 + env.random()), () => {
        asked.delete(name);
        subscriptions.sync();
      });
    }
    events.failed(error);
    look();
    return true;
  };

  const deny = (topic: Topic, error: ClientError): void => {
    setDenied(topic, error);
    events.changed(topic);
  };

  const look = (): void => {
    for (const [name, there] of asked) {
      const topic = topics.all.get(name);
      if (there.caughtUp || there.state !== 'on' || !there.head || !topic) continue;
      there.caughtUp = hasCaughtUp(topic, there.head);
      if (there.caughtUp) events.changed(topic);
    }
    if (reported === subscriptions.hasCaughtUp) return;
    reported = !reported;
    if (reported) events.caughtUp();
  };

  return subscriptions;
}

const NOWHERE: Start = { since: null, last: null };

function* chunks(names: readonly string[]): Generator<string[]> {
  const size = names.some(({ length }) => length > SHORT_NAME) ? FEW_AT_ONCE : TOPICS_AT_ONCE;
  for (let start = 0; start < names.length; start += size) yield names.slice(start, start + size);
}

/** The messages that ask for topics: those with the same `last` together, those with a filter each by itself. JSON leaves out what is undefined. */
function* subscribes(wishes: readonly Topic[], startAt: (name: string) => Start): Generator<object> {
  const plain = new Map<number | null, string[]>();
  for (const topic of wishes) {
    const { since, last } = startAt(topic.name);
    const filter = filterOf(topic);
    const type = broadcastOf(topic.name);
    if (filter && type) {
      const data = { event_types: [type], filters: filter };
      yield { type: 'subscribe', data, since: since?.text, last: last ?? undefined };
    } else plain.set(last, [...(plain.get(last) ?? []), topic.name]);
  }
  for (const [last, some] of plain) {
    for (const names of chunks(some)) {
      const since = names.flatMap((name) => (startAt(name).since ? [[name, startAt(name).since?.text]] : []));
      yield { type: 'subscribe', topics: names, since: since[0] && Object.fromEntries(since), last: last ?? undefined };
    }
  }
}

const filterOf = ({ followers }: Topic) => [...followers].find(({ form }) => form.filter)?.form.filter ?? null;
