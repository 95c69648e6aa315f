/** A WebSocket client that remembers what it got, for programs that look at a deployment. */
import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';

export interface SocketClient {
  readonly socket: WebSocket;
  /** Everything that came, in order. */
  readonly texts: readonly string[];
  /** The first text for which the claim holds; `null` = none has come within this time. */
  until(claim: (text: string) => boolean, withinMs: number): Promise<string | null>;
  /** The code of the close; `null` = it is still open after this time. */
  closed(withinMs: number): Promise<number | null>;
}

export interface SocketOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
  /** The handshake may take this long. */
  readonly openMs: number;
}

/** A handshake that was answered with another status than 101. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly status: number;
  readonly body: string;
  constructor(status: number, body: string) {
    super(`${status} ${body.slice(0, 200)}`);
    this.status = status;
    this.body = body;
  }
}

/** Opens a client, and closes it whatever comes of the work. Throws a RefusedError if the handshake is refused, or why there was none. */
export async function withSocket<Result>(options: SocketOptions, work: (client: SocketClient) => Promise<Result>): Promise<Result> {
  const client = await open(options);
  try {
    return await work(client);
  } finally {
    client.socket.terminate();
  }
}

async function open({ url, headers, protocols = [], openMs }: SocketOptions): Promise<SocketClient> {
  const given: ClientOptions & { readonly ALPNProtocols: string[] } = {
    headers: { ...headers },
    handshakeTimeout: openMs,
    // an upgrade exists only in HTTP/1.1, and an edge that may choose takes HTTP/2
    ALPNProtocols: ['http/1.1'],
  };
  const socket = new WebSocket(url, [...protocols], given);
  const texts: string[] = [];
  let code: number | null = null;
  const lookers = new Set<() => void>();
  const changed = (): void => {
    for (const look of lookers) look();
  };
  socket.on('message', (data) => {
    texts.push(String(data));
    changed();
  });
  socket.on('close', (closeCode) => {
    code = closeCode;
    changed();
  });
  await opened(socket);
  // an error is followed by the close
  socket.on('error', () => undefined);

  const eventually = <Value>(find: () => Value | null, withinMs: number): Promise<Value | null> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = find();
        if (found !== null) end(found);
      };
      const end = (found: Value | null): void => {
        clearTimeout(timer);
        lookers.delete(look);
        resolve(found);
      };
      const timer = setTimeout(end, Math.max(0, withinMs), null);
      lookers.add(look);
      look();
    });
  return {
    socket,
    texts,
    until: (claim, withinMs) => eventually(() => texts.find(claim) ?? null, withinMs),
    closed: (withinMs) => eventually(() => code, withinMs),
  };
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
    socket.once('unexpected-response', (_, response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        body = (body + piece).slice(0, 10_000);
      });
      once(response, 'close').then(() => reject(new RefusedError(response.statusCode ?? 0, body)), reject);
    });
  });
}
