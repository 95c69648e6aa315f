import WebSocket from 'ws';
import type { LocalClock } from '../base/clock.ts';

export interface Watched {
  /** Whether somebody else has published to the topic within `LEFT_ALONE_MS`. */
  isTaken(nowMs: number): boolean;
  /** The demo is about to publish a message with this timestamp. */
  expectOwn(timestamp: string): void;
  stop(): void;
}

/** After another publisher changed a topic, the demo leaves it alone for this long. */
const LEFT_ALONE_MS = 60_000;
const RETRY_MS = 1_000;
/** The demo's own newest timestamps: its messages may come back late. */
const KEPT = 20;

export interface WatchOptions {
  readonly url: string;
  readonly clock: Pick<LocalClock, 'now' | 'after'>;
  /** Of a user who may subscribe, where the deployment requires one. */
  readonly token?: string | undefined;
  readonly topic: string;
  /** The timestamp in a message of that topic. */
  readonly timestampOf: (message: unknown) => string | undefined;
}

/** Subscribes to a topic of the demo, to tell its own messages from those of others. */
export function watch({ url, clock, token, topic, timestampOf }: WatchOptions): Watched {
  const own: string[] = [];
  let foreign = new Date(clock.now()).toISOString();
  let takenUntilMs = 0;
  let stopped = false;
  let cancel = (): void => undefined;
  let socket: WebSocket;
  const open = (): void => {
    socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
    socket.on('open', () => socket.send(JSON.stringify({ type: 'subscribe', topic })));
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString('utf8')) as { type?: string };
      if (message.type === 'ping') return socket.send('{"type":"pong"}');
      const timestamp = timestampOf(message);
      // a state is delivered again and again, also one of an earlier run
      if (timestamp === undefined || own.includes(timestamp) || timestamp <= foreign) return;
      foreign = timestamp;
      takenUntilMs = clock.now() + LEFT_ALONE_MS;
    });
    // what follows an error is the end of the socket
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (!stopped) cancel = clock.after(RETRY_MS, open);
    });
  };
  open();
  return {
    isTaken: (nowMs) => nowMs < takenUntilMs,
    expectOwn(timestamp) {
      own.push(timestamp);
      if (own.length > KEPT) own.shift();
    },
    stop() {
      stopped = true;
      cancel();
      socket.terminate();
    },
  };
}
