import { EventSource } from 'eventsource';
import { type Queue, queue } from './stomp.ts';

export interface SseEvent {
  readonly name: string;
  readonly id: string;
  readonly data: Record<string, unknown>;
}

export interface SseClient {
  readonly source: EventSource;
  readonly events: Queue<SseEvent>;
  close(): void;
}

const NAMES = ['INIT', 'RANK_UPDATE', 'ACTIVE', 'KEEPALIVE', 'RESERVATION_STATUS'];

/** The usual client: it reconnects by itself with the last id. */
export function eventSource(url: string, headers: Record<string, string> = {}): SseClient {
  const source = new EventSource(url, { fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...headers } }) });
  const events = queue<SseEvent>();
  for (const name of NAMES) {
    source.addEventListener(name, ({ data, lastEventId }: MessageEvent) =>
      events.push({ name, id: lastEventId, data: JSON.parse(String(data)) as Record<string, unknown> }),
    );
  }
  return { source, events, close: () => source.close() };
}

/** The whole text of an event stream that ends by itself. */
export async function wholeStream(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; type: string | null; text: string }> {
  const response = await fetch(url, { headers });
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

/** An event stream as text, read while it comes. */
export interface StreamText {
  readonly type: string | null;
  /** Reads on until the claim holds, or the stream has ended. */
  until(claim: (text: string) => boolean): Promise<string>;
  close(): Promise<void>;
}

export async function readStream(url: string): Promise<StreamText> {
  const response = await fetch(url);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    type: response.headers.get('content-type'),
    async until(claim) {
      while (!claim(text)) {
        const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
        if (done) break;
        text += value;
      }
      return text;
    },
    close: async () => reader?.cancel(),
  };
}
