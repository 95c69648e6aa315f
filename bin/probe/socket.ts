import { type ClientOptions, WebSocket } from 'ws';
import { headersOf, type ProbeOptions } from './fact.ts';

/** An answer is awaited this long. */
const ANSWER_MS = 10_000;

/** A WebSocket that remembers what it got. */
export interface Probe {
  readonly ws: WebSocket;
  readonly texts: string[];
  /** The first text that contains this; `null` = none has come in time. */
  until(part: string): Promise<string | null>;
  /** The close code; `null` = it is still open after the time. */
  closed(withinMs?: number): Promise<number | null>;
}

export async function open(options: ProbeOptions, protocols: readonly string[] = []): Promise<Probe> {
  const given: ClientOptions & { readonly ALPNProtocols: string[] } = {
    headers: headersOf(options),
    handshakeTimeout: ANSWER_MS,
    ALPNProtocols: ['http/1.1'],
  };
  const ws = new WebSocket(options.socket, [...protocols], given);
  const texts: string[] = [];
  const wakers = new Set<() => void>();
  const wake = (): void => wakers.forEach((one) => void one());
  ws.on('message', (data) => {
    texts.push(String(data));
    wake();
  });
  let code: number | null = null;
  ws.on('close', (closeCode) => {
    code = closeCode;
    wake();
  });
  await new Promise<void>((resolve, reject) => {
    ws.once('open', resolve);
    ws.once('error', reject);
  });
  ws.on('error', () => undefined);
  const eventually = async <Value>(look: () => Value | null, ms: number): Promise<Value | null> => {
    const deadline = Date.now() + ms;
    for (let found = look(); ; found = look()) {
      const left = deadline - Date.now();
      if (found !== null || left <= 0) return found;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          wakers.delete(done);
          resolve();
        };
        const timer = setTimeout(done, left);
        wakers.add(done);
      });
    }
  };
  return {
    ws,
    texts,
    until: (part) => eventually(() => texts.find((text) => text.includes(part)) ?? null, ANSWER_MS),
    closed: (withinMs = ANSWER_MS) => eventually(() => code, withinMs),
  };
}

/** A STOMP session, and the client id that it was given. */
export async function openStomp(options: ProbeOptions): Promise<Probe & { readonly clientId: string }> {
  const probe = await open(options, ['v12.stomp']);
  probe.ws.send('CONNECT\naccept-version:1.2\nheart-beat:0,0\n\n\0');
  const connected = await probe.until('CONNECTED');
  const clientId = /^session:(.+)$/m.exec(connected ?? '')?.[1];
  if (clientId === undefined) throw new Error(`a STOMP session did not open; got ${JSON.stringify(probe.texts)}`);
  return { ...probe, clientId };
}
