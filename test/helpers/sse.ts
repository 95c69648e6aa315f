import { EventSource } from 'eventsource';
import { type Queue, queue } from './stomp.ts';
import { within } from './within.ts';

export interface SseEvent {
  readonly name: string;
  readonly id: string;
  readonly data: Record<string, unknown>;
}

export interface SseClient {
  readonly source: EventSource;
  readonly events: Queue<SseEvent>;
  /** The next event of the source itself. */
  on(name: 'open' | 'error'): Promise<void>;
  close(): void;
}

const NAMES = ['INIT', 'RANK_UPDATE', 'ACTIVE', 'KEEPALIVE', 'RESERVATION_STATUS'];

/** The standard client: it reconnects by itself with the last id, which then replaces one in `headers`. */
export function eventSource(url: string, headers: Record<string, string> = {}): SseClient {
  const source = new EventSource(url, { fetch: (input, init) => fetch(input, { ...init, headers: { ...headers, ...init.headers } }) });
  const events = queue<SseEvent>();
  for (const name of NAMES) {
    source.addEventListener(name, ({ data, lastEventId }: MessageEvent) =>
      events.push({ name, id: lastEventId, data: JSON.parse(String(data)) as Record<string, unknown> }),
    );
  }
  const on = (name: 'open' | 'error'): Promise<void> =>
    within(
      new Promise<void>((resolve) => source.addEventListener(name, () => resolve())),
      `the event ${name} of the source`,
      () => events.all,
    );
  return { source, events, on, close: () => source.close() };
}

/** The whole text of an event stream that ends by itself. */
export async function wholeStream(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; type: string | null; text: string }> {
  const { status, type, toEnd } = await readStream(url, headers);
  return { status, type, text: await toEnd() };
}

/** An event stream as text, read while it comes. */
export interface StreamText {
  readonly status: number;
  readonly type: string | null;
  /** Reads on until the claim holds, or the stream has ended. `what` names the claim in a failure. */
  until(claim: (text: string) => boolean, what?: string): Promise<string>;
  /** Reads on until the stream has ended. */
  toEnd(): Promise<string>;
  close(): Promise<void>;
}

export async function readStream(url: string, headers: Record<string, string> = {}): Promise<StreamText> {
  const response = await within(fetch(url, { headers }), `a response of ${url}`);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const read = async (claim: (text: string) => boolean): Promise<string> => {
    while (!claim(text)) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      if (done) break;
      text += value;
    }
    return text;
  };
  const stream: StreamText = {
    status: response.status,
    type: response.headers.get('content-type'),
    until: (claim, what = String(claim)) => within(read(claim), what, () => [text]),
    toEnd: () => stream.until(() => false, 'the end of the stream'),
    close: async () => reader?.cancel(),
  };
  return stream;
}
