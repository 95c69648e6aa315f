/** A world for the client library: a clock that is moved by hand, sockets that are told what to do, and a server that knows the protocol. */

import type { PageEvent } from '../../client/env.ts';
import {
  type Client,
  type ClientError,
  type ClientOptions,
  createClient,
  type Env,
  type SocketClass,
  type SocketLike,
} from '../../client/index.ts';
import { makeLevers } from '../../local/base/levers.ts';

type Json = Record<string, unknown>;

/** What happens to new sockets. */
export type Manner = 'serve' | 'refuse' | 'black hole' | 'accept and close' | 'greet and close' | 'throw';

export interface FakeSocket extends SocketLike {
  readonly url: string;
  readonly protocols: readonly string[];
  readonly sent: Json[];
  /** From the server. */
  say(message: object | string): void;
  /** By the server or the network. */
  die(code?: number): void;
  /** Nothing gets through any more, and no side is told. */
  cut(): void;
  readonly subscribed: ReadonlyMap<string, Json>;
  readonly open: boolean;
}

export interface FakeTopic {
  readonly epoch: string;
  readonly messages: { readonly offset: bigint; readonly body: Json }[];
  readonly kind: 'state' | 'log';
  /** Older ones are trimmed. */
  first: bigint;
}

export interface World {
  readonly client: Client;
  readonly sockets: FakeSocket[];
  readonly errors: ClientError[];
  readonly statuses: string[];
  readonly requests: { readonly url: string; readonly init: RequestInit | undefined }[];
  manner: Manner;
  /** How HTTP answers. @default it is away */
  http: (url: string, init?: RequestInit) => Promise<Response>;
  hidden: boolean;
  /** The delay of each message from the server, in ms. */
  delayMs: () => number;
  /** Messages that the server loses, or answers in a way of its own. True = it was dealt with. */
  intercept: (socket: FakeSocket, message: Json) => boolean;
  /** Loses a message that is published to a socket. @default none */
  loses: () => boolean;
  readonly topics: Map<string, FakeTopic>;
  /** Makes a topic. */
  topic(name: string, kind?: 'state' | 'log', epoch?: string): FakeTopic;
  publish(name: string, body: Json): void;
  /** Moves both clocks. */
  pass(ms: number): Promise<void>;
  /** The machine sleeps: clocks move, and what came meanwhile is told only afterwards. */
  sleep(ms: number, meanwhile?: () => void): Promise<void>;
  /** The wall clock is set. */
  setWall(byMs: number): void;
  page(event: PageEvent): Promise<void>;
  /** The socket in use. */
  readonly socket: FakeSocket;
  readonly open: readonly FakeSocket[];
  readonly timers: number;
}

export function world(options: Partial<ClientOptions> = {}, seed = 1): World {
  const { random } = makeLevers(seed);
  let now = 1_000_000;
  let wallShift = 1.7e12;
  let serial = 0;
  const timers = new Map<number, { at: number; work: () => void }>();
  const listeners = new Set<(event: PageEvent) => void>();
  const after = (ms: number, work: () => void): (() => void) => {
    const id = serial++;
    timers.set(id, { at: now + ms, work });
    return () => void timers.delete(id);
  };
  /** In order of their time; between two of them everything that waits goes on. */
  const runUntil = async (at: number): Promise<void> => {
    for (;;) {
      await settle();
      const due = [...timers].filter(([, timer]) => timer.at <= at).sort(([a, one], [b, other]) => one.at - other.at || a - b)[0];
      if (!due) break;
      timers.delete(due[0]);
      now = Math.max(now, due[1].at);
      due[1].work();
    }
    now = at;
  };

  class Socket implements FakeSocket {
    readyState = 0;
    binaryType = '';
    onopen: FakeSocket['onopen'] = null;
    onmessage: FakeSocket['onmessage'] = null;
    onclose: FakeSocket['onclose'] = null;
    onerror: FakeSocket['onerror'] = null;
    readonly sent: Json[] = [];
    readonly subscribed = new Map<string, Json>();
    readonly url: string;
    readonly protocols: readonly string[];
    private isCut = false;
    /** Of this socket's messages, the time of the last: they come in order. */
    private lastAt = 0;
    constructor(url: string, protocols: string[] = []) {
      if (my.manner === 'throw') throw new Error('Refused to connect because it violates the Content Security Policy');
      [this.url, this.protocols] = [url, protocols];
      my.sockets.push(this);
      const { manner } = my;
      if (manner === 'black hole') return;
      after(20, () => {
        if (this.readyState !== 0) return;
        if (manner === 'refuse') return this.die(1006);
        this.readyState = 1;
        this.onopen?.({} as never);
        if (manner === 'accept and close') return this.die(1005);
        after(50, () => {
          this.say({ type: 'connected', client_id: 'c', data: {}, timestamp: '' });
          if (manner === 'greet and close') this.die(1000);
        });
      });
    }
    get open(): boolean {
      return this.readyState === 1 && !this.isCut;
    }
    send(text: string): void {
      const message = JSON.parse(text) as Json;
      this.sent.push(message);
      if (!this.isCut && this.readyState === 1 && !my.intercept(this, message)) serve(this, message);
    }
    say(message: object | string): void {
      this.lastAt = Math.max(this.lastAt, now + my.delayMs());
      after(this.lastAt - now, () => {
        if (this.open) this.onmessage?.({ data: typeof message === 'string' ? message : JSON.stringify(message) } as never);
      });
    }
    die(code = 1006): void {
      if (this.readyState === 3) return;
      this.readyState = 3;
      this.onerror?.({} as never);
      this.onclose?.({ code } as never);
    }
    cut(): void {
      this.isCut = true;
    }
    close(): void {
      // a browser tells of the end only when the other side has answered, and then late
      if (this.readyState >= 2) return;
      this.readyState = 2;
      after(30_000, () => {
        this.readyState = 3;
        this.onclose?.({ code: 1000 } as never);
      });
    }
  }

  const topicOf = (name: string): FakeTopic => my.topics.get(name) ?? my.topic(name);
  const wire = (topic: FakeTopic, { offset, body }: FakeTopic['messages'][number]): Json => ({
    ...body,
    position: `${topic.epoch}-${offset}`,
  });
  const headOf = ({ messages }: FakeTopic): bigint => messages.at(-1)?.offset ?? 0n;

  function serve(socket: Socket, message: Json): void {
    const { type, data } = message as { type: string; data?: Json };
    const names = [
      ...((message['topics'] as string[] | undefined) ?? []),
      ...((data?.['event_types'] as string[]) ?? []).map((one) => `ops:${one}`),
    ];
    if (type === 'ping') socket.say({ type: 'pong', data: { ...data, server_time: '', latency_ms: 0 } });
    if (type === 'client_info') socket.say({ type: 'connection_status', data: {} });
    if (type === 'refresh') socket.say({ type: 'refreshed', expires_in: 600, data: {} });
    if (type === 'unsubscribe')
      for (const name of names) {
        socket.subscribed.delete(name);
        socket.say({ type: 'unsubscribed', topic: name });
      }
    if (type === 'subscribe') for (const name of names) subscribe(socket, name, message);
  }
  function subscribe(socket: Socket, name: string, message: Json): void {
    const topic = topicOf(name);
    const given = message['since'];
    const text = typeof given === 'string' ? given : (given as Record<string, string> | undefined)?.[name];
    const [epoch, offset] = text?.split('-') ?? [];
    const head = headOf(topic);
    const last = message['last'] as number | undefined;
    const since = text === undefined ? null : epoch === topic.epoch ? BigInt(offset as string) : -1n;
    const isWhole = since !== null && since >= topic.first - 1n && since <= head;
    const start = topic.kind === 'state' ? 0n : since !== null ? (isWhole ? since : topic.first - 1n) : last ? head - BigInt(last) : head;
    socket.subscribed.set(name, message);
    const recovered = topic.kind === 'state' ? since === head : isWhole;
    const extra = !isWhole && start !== head && topic.kind === 'log' ? { from: `${topic.epoch}-${start}` } : {};
    socket.say({ type: 'subscribed', topic: name, position: `${topic.epoch}-${head}`, ...(since === null ? {} : { recovered }), ...extra });
    if (topic.kind === 'state') {
      const newest = topic.messages.at(-1);
      if (newest && !(since !== null && recovered)) socket.say(wire(topic, newest));
      return;
    }
    for (const one of topic.messages) if (one.offset > start) socket.say(wire(topic, one));
  }

  const env: Partial<Env> = {
    WebSocket: Socket as unknown as SocketClass,
    fetch: ((url: string, init?: RequestInit) => {
      my.requests.push({ url, init });
      return my.http(url, init);
    }) as typeof fetch,
    now: () => now,
    wall: () => now + wallShift,
    after,
    random,
    hidden: () => my.hidden,
    onPage(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const my: { -readonly [Name in keyof World]: World[Name] } = {
    client: createClient({ url: 'https://push.example', env, ...options }),
    sockets: [],
    errors: [],
    statuses: [],
    requests: [],
    manner: 'serve',
    http: async () => Promise.reject(new TypeError('fetch failed')),
    hidden: false,
    delayMs: () => 5,
    intercept: () => false,
    loses: () => false,
    topics: new Map(),
    topic(name, kind = 'log', epoch = `e${my.topics.size}x${serial++}`) {
      const made: FakeTopic = { epoch, messages: [], kind, first: 1n };
      my.topics.set(name, made);
      return made;
    },
    publish(name, body) {
      const topic = topicOf(name);
      const message = { offset: headOf(topic) + 1n, body };
      topic.messages.push(message);
      for (const socket of my.sockets) if (socket.open && socket.subscribed.has(name) && !my.loses()) socket.say(wire(topic, message));
    },
    pass: (ms) => runUntil(now + ms),
    async sleep(ms, meanwhile) {
      await settle();
      now += ms;
      meanwhile?.();
      await runUntil(now);
    },
    setWall(byMs) {
      wallShift += byMs;
    },
    async page(event) {
      for (const listener of [...listeners]) listener(event);
      await settle();
    },
    get socket() {
      const found = my.sockets.findLast(({ readyState }) => readyState === 1);
      if (!found) throw new Error('no socket is open');
      return found;
    },
    get open() {
      return my.sockets.filter(({ readyState }) => readyState === 1);
    },
    get timers() {
      return timers.size;
    },
  };
  my.client.on('error', (error) => my.errors.push(error));
  my.client.on('status', (status) => my.statuses.push(status));
  return my;
}

/** Lets everything go on that waits for no time. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 20; turns++) await Promise.resolve();
}
