import { once } from 'node:events';
import { Client, type IFrame, type StompConfig } from '@stomp/stompjs';
import WebSocket from 'ws';
import { AFTER_JSON } from '../../core/protocol/stomp.ts';
import { parseFrames, type StompFrame, type StompVersion } from '../../core/protocol/stomp-frame.ts';
import { excerpt, WAIT_MS, within } from './within.ts';

/** Returns the items one after another, and waits for those that have not come yet, at most `WAIT_MS`. */
export interface Queue<Item> {
  readonly all: Item[];
  push(item: Item): void;
  /** `what` names the item in a failure. */
  next(what?: string): Promise<Item>;
}

export function queue<Item>(): Queue<Item> {
  const all: Item[] = [];
  let taken = 0;
  let wake: (() => void)[] = [];
  return {
    all,
    push(item) {
      all.push(item);
      const woken = wake;
      wake = [];
      for (const one of woken) one();
    },
    next(what = 'one more') {
      const take = async (): Promise<Item> => {
        while (taken >= all.length) await new Promise<void>((resolve) => wake.push(resolve));
        return all[taken++] as Item;
      };
      return within(take(), what, () => all);
    },
  };
}

const socketUrl = (baseUrl: string): string => `${baseUrl.replace('http', 'ws')}/ws`;

/** The official client, as its documentation uses it. */
export async function officialClient(baseUrl: string, config: Partial<StompConfig> = {}): Promise<Client> {
  const client = new Client({
    reconnectDelay: 0,
    ...config,
    webSocketFactory: () =>
      new WebSocket(socketUrl(baseUrl), config.stompVersions?.protocolVersions() ?? ['v12.stomp', 'v11.stomp', 'v10.stomp']),
  });
  const connecting = new Promise<void>((resolve, reject) => {
    client.onConnect = () => resolve();
    client.onStompError = (frame: IFrame) => reject(new Error(frame.headers['message']));
    client.onWebSocketError = reject;
    client.activate();
  });
  await within(connecting, 'CONNECTED');
  return client;
}

/** A socket whose frames are written by hand. */
export interface RawStomp {
  readonly socket: WebSocket;
  readonly frames: Queue<StompFrame>;
  /** Everything received, unparsed. */
  readonly texts: string[];
  send(text: string): void;
  /** The next frame; its command must be this one. */
  expect(command: string): Promise<StompFrame>;
  closed(): Promise<number>;
  close(): void;
}

export interface RawOptions {
  readonly protocols?: readonly string[];
  readonly version?: StompVersion;
  readonly headers?: Record<string, string>;
  readonly ticket?: string;
}

export async function rawStomp(
  baseUrl: string,
  { protocols = ['v12.stomp'], version = '1.2', headers = {}, ticket }: RawOptions = {},
): Promise<RawStomp> {
  const query = ticket === undefined ? '' : `?ticket=${ticket}`;
  const socket = new WebSocket(socketUrl(baseUrl) + query, [...protocols], { headers, handshakeTimeout: WAIT_MS });
  const frames = queue<StompFrame>();
  const texts: string[] = [];
  socket.on('message', (data: Buffer) => {
    const text = data.toString('utf8');
    texts.push(text);
    // the greeting of JSON clients may come before the first frame of a STOMP client without subprotocol
    if (text.startsWith('{')) return;
    const whole = text.startsWith(AFTER_JSON) ? text.slice(AFTER_JSON.length) : text;
    for (const frame of parseFrames(whole, () => version)) frames.push(frame);
  });
  const closing = once(socket, 'close').then(([code]) => Number(code));
  closing.catch(() => undefined);
  await once(socket, 'open');
  return {
    socket,
    frames,
    texts,
    send: (text) => socket.send(text),
    async expect(command) {
      const frame = await Promise.race([
        frames.next(command),
        closing.then((code) => Promise.reject(new Error(`closed with ${code}, expected ${command}; ${excerpt(texts)}`))),
      ]);
      if (frame.command !== command)
        throw new Error(`expected ${command}, got ${frame.command} ${JSON.stringify([...frame.headers])} ${frame.body}`);
      return frame;
    },
    closed: () => within(closing, 'the end of the connection', () => texts),
    close: () => socket.close(),
  };
}

/** A frame as a client writes it; header values are not escaped. */
export const frame = (command: string, headers: Record<string, string> = {}, body = ''): string =>
  `${command}\n${Object.entries(headers)
    .map(([name, value]) => `${name}:${value}\n`)
    .join('')}\n${body}\0`;

/** A raw client whose CONNECT was answered. */
export async function connected(
  baseUrl: string,
  options: RawOptions & { readonly connect?: Record<string, string> } = {},
): Promise<RawStomp> {
  const client = await rawStomp(baseUrl, options);
  client.send(frame('CONNECT', { 'accept-version': options.version ?? '1.2', host: 'localhost', ...options.connect }));
  await client.expect('CONNECTED');
  return client;
}
