/** The agent's connection: it hears its own commands, and comes back by itself. */
import { WebSocket } from 'ws';
import { createClient, type Handle } from '../../../../client/index.ts';
import type { Config } from '../config.ts';
import { type Log, logOnce } from '../log.ts';

/** After so much silence the server is asked for a sign of life, and the connection given up without one. Each is a request to pay for. In ms. */
const SILENCE_MS = 45_000;
/** A command is a few hundred bytes. */
const MOST_BYTES = 1024 * 1024;
const HANDSHAKE_MS = 15_000;

export interface LinkPorts {
  /** As it is now: a changed key is used by the next connection. */
  config(): Config;
  /** Position to go on from; `null` = from now on. */
  since(): string | null;
  /** Called once with the head of the topic, before the first command has come. */
  begins(position: string): Promise<void>;
  take(message: { readonly data?: unknown; readonly position?: unknown }): Promise<void>;
  readonly log: Log;
}

export interface Link {
  stop(): void;
}

export function openLink({ config, since, begins, take, log }: LinkPorts): Link {
  const { agent, url, socket } = config();
  const failure = logOnce(log);
  const topic = `ops:command:${agent}`;
  let begun: Promise<void> = Promise.resolve();
  /** An agent that is ended before its first command goes on here: what came meanwhile is carried out if there is time. */
  const noteBeginning = (text: string): void => {
    // before everything else that has a position
    if (!text.startsWith('{"type":"subscribed"')) return;
    const { topic: of, position: at } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    if (of !== topic || typeof at !== 'string' || since() !== null) return;
    begun = begins(at).catch((error: Error) => log('ERROR', `the position could not be kept: ${error.message}`));
  };
  class KeyedSocket extends WebSocket {
    constructor(address: string, protocols?: string[]) {
      const headers = { 'x-api-key': config().key };
      super(address, protocols, { headers, perMessageDeflate: false, maxPayload: MOST_BYTES, handshakeTimeout: HANDSHAKE_MS });
      if (since() === null) this.on('message', (data: Buffer) => noteBeginning(String(data)));
      this.on('error', ({ message }) => failure.say('WARNING', `connecting failed, and is tried again: ${message}`));
    }
  }
  const client = createClient({
    url: socket == null ? url : { socket, api: url },
    transports: ['websocket'],
    silence: SILENCE_MS,
    // the library would ask over HTTP why a handshake failed; it has no token, and the handshake says it here
    env: { WebSocket: KeyedSocket, fetch: null },
  });
  client.on('status', (status) => {
    if (status !== 'live') return;
    failure.over();
    void begun.then(() => log('INFO', `connected to ${url}, as ${agent}`));
  });
  client.on('error', ({ code, message }) => {
    if (code === 'PERMISSION_DENIED') failure.say('ERROR', `no commands will come: ${message}; the key must be that of agent ${agent}`);
    else if (code !== 'AWAY') failure.say('WARNING', `${code}: ${message}`);
  });
  const position = since();
  const handle: Handle = client.follow(topic, (message) => take(message as object), {
    ...(position === null ? {} : { since: position }),
    onGap: () => log('WARNING', 'commands may have been missed: they have expired'),
  });
  client.start();
  return {
    stop() {
      handle.close();
      client.close();
    },
  };
}
