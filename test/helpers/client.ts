import { once } from 'node:events';
import WebSocket from 'ws';

export type Message = Record<string, unknown>;

/** A WebSocket client that reads as a conversation: nothing it receives is missed. */
export interface Client {
  readonly socket: WebSocket;
  /** Everything received so far, in order. */
  readonly received: Message[];
  send(message: object | string): void;
  /** The next message not yet taken. */
  next(): Promise<Message>;
  /** The next message for which the claim holds; those before it are skipped. */
  until(claim: (message: Message) => boolean): Promise<Message>;
  /** Nothing of this kind has come, and a round trip later still nothing. */
  quiet(claim: (message: Message) => boolean): Promise<void>;
  closed(): Promise<{ code: number }>;
  close(): Promise<void>;
}

export async function connect(baseUrl: string, options: { headers?: Record<string, string>; protocols?: string[] } = {}): Promise<Client> {
  const socket = new WebSocket(`${baseUrl.replace('http', 'ws')}/ws`, options.protocols ?? [], { headers: options.headers });
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

  const take = async (): Promise<Message> => {
    while (taken >= received.length) {
      if (socket.readyState === WebSocket.CLOSED) throw new Error(`the socket is closed; received: ${JSON.stringify(received)}`);
      await Promise.race([new Promise<void>((resolve) => wake.push(resolve)), closing]);
    }
    return received[taken++] as Message;
  };
  const client: Client = {
    socket,
    received,
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    next: take,
    async until(claim) {
      for (;;) {
        const message = await take();
        if (claim(message)) return message;
      }
    },
    async quiet(claim) {
      const from = taken;
      client.send({ type: 'unsubscribe', topic: 'price:ZZZZZZ' });
      await client.until((message) => message['type'] === 'unsubscribed' && message['topic'] === 'price:ZZZZZZ');
      const found = received.slice(from).filter(claim);
      if (found.length > 0) throw new Error(`expected nothing, got ${JSON.stringify(found)}`);
    },
    closed: () => closing,
    async close() {
      wake = [];
      if (socket.readyState === WebSocket.CLOSED) return;
      socket.close();
      await closing;
    },
  };
  return client;
}

export const ofType = (type: string) => (message: Message) => message['type'] === type;
