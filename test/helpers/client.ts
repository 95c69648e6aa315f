import { once } from 'node:events';
import WebSocket from 'ws';
import { excerpt, WAIT_MS, within } from './within.ts';

export type Message = Record<string, unknown>;

/** A WebSocket client that reads as a conversation: nothing it receives is missed, and no wait is longer than `WAIT_MS`. */
export interface Client {
  readonly socket: WebSocket;
  /** Everything received so far, in order. */
  readonly received: Message[];
  send(message: object | string): void;
  /** The next message not yet taken. */
  next(): Promise<Message>;
  /** The next message for which the claim holds; those before it are skipped. `what` names it in a failure. */
  until(claim: (message: Message) => boolean, what?: string): Promise<Message>;
  /** Fails if a message for which the claim holds has come, or comes within a round trip. */
  quiet(claim: (message: Message) => boolean): Promise<void>;
  closed(): Promise<{ code: number }>;
  close(): Promise<void>;
}

export async function connect(
  baseUrl: string,
  options: { headers?: Record<string, string>; protocols?: string[]; ticket?: string } = {},
): Promise<Client> {
  const query = options.ticket === undefined ? '' : `?ticket=${options.ticket}`;
  const socket = new WebSocket(`${baseUrl.replace('http', 'ws')}/ws${query}`, options.protocols ?? [], {
    headers: options.headers,
    handshakeTimeout: WAIT_MS,
  });
  const received: Message[] = [];
  let taken = 0;
  let wake: (() => void)[] = [];
  socket.on('message', (data: Buffer) => {
    received.push(JSON.parse(data.toString('utf8')) as Message);
    for (const one of wake.splice(0)) one();
  });
  const closing = once(socket, 'close').then(([code]) => ({ code: code as number }));
  closing.catch(() => undefined);
  await once(socket, 'open');

  const all = (): Message[] => received;
  const take = async (what: string): Promise<Message> => {
    while (taken >= received.length) {
      if (socket.readyState === WebSocket.CLOSED) throw new Error(`the socket was closed before ${what}; ${excerpt(received)}`);
      await Promise.race([new Promise<void>((resolve) => wake.push(resolve)), closing]);
    }
    return received[taken++] as Message;
  };
  const client: Client = {
    socket,
    received,
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    next: () => within(take('a message'), 'a message', all),
    async until(claim, what = String(claim)) {
      const find = async (): Promise<Message> => {
        for (;;) {
          const message = await take(what);
          if (claim(message)) return message;
        }
      };
      return within(find(), what, all);
    },
    async quiet(claim) {
      const from = taken;
      client.send({ type: 'unsubscribe', topic: 'price:ZZZZZZ' });
      await client.until(
        (message) => message['type'] === 'unsubscribed' && message['topic'] === 'price:ZZZZZZ',
        'the reply that ends the round trip',
      );
      const found = received.slice(from).filter(claim);
      if (found.length > 0) throw new Error(`expected nothing, got ${JSON.stringify(found)}`);
    },
    closed: () => within(closing, 'the end of the connection', all),
    async close() {
      wake = [];
      if (socket.readyState === WebSocket.CLOSED) return;
      socket.close();
      await closing;
    },
  };
  return client;
}

/** The claim that a message has a type. A failure names the type. */
export const ofType = (type: string) =>
  Object.assign((message: Message) => message['type'] === type, { toString: () => `a message of type ${type}` });
