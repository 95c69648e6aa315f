/**
 * Topics over Server-Sent Events, where WebSockets are blocked: a stream for each topic that has one, with the same
 * positions. Where even streams are held back, the same address is asked once and again.
 */
import { pauseMs } from './backoff.ts';
import type { Env } from './env.ts';
import { ClientError, errorOf } from './errors.ts';
import { eventReader } from './event-stream.ts';
import type { Wire } from './follower.ts';
import { knownStream } from './known.ts';
import { type Position, parsePosition } from './position.ts';
import { bearer, type TokenSource } from './token.ts';
import { forget, isWanted, resume, setDenied, startOf, type Topic, type Topics, take } from './topics.ts';

/** The first byte must come within this, and then something every 15 s; in ms. */
const FIRST_BYTE_MS = 15_000;
const SILENCE_MS = 40_000;

/** A stream ends in good time and is opened again; a herd of them should not do it at once. */
const REOPEN_MS = 500;
/** One that ended sooner than this was a finite answer: the next is asked for as seldom as one would poll, in ms. */
const SHORT_MS = 10_000;

/** After so many streams in a row that stay silent, a proxy holds them back: the topic is asked for instead, this often, until the WebSocket works. */
const HELD_BACK = 2;
const POLL_MS = 5_000;
/** A stream that failed so often in a row brings nothing any more. */
const GIVEN_UP = 2;

export interface Streams {
  /** Opens what is wanted, and closes what is not. */
  sync(): void;
  close(): void;
}

export interface StreamsForm {
  /** Base of the addresses, without a slash at its end. */
  readonly api: string;
  readonly topics: Topics;
  readonly tokens: TokenSource;
  readonly env: Env;
  /** Something came: streams work here; or no stream brings anything any more. */
  work(does: boolean): void;
  changed(topic: Topic): void;
  failed(error: ClientError): void;
  /** There is no WebSocket to ask for the topics. */
  readonly isOnly: boolean;
  /** The server takes no token of this program. */
  denied(error: ClientError): void;
}

interface Open {
  closed: boolean;
  version: number;
  failures: number;
  /** Streams in a row that brought nothing. */
  silent: number;
  refused: boolean;
  abort: AbortController | null;
  cancel: () => void;
}

export function createStreams(form: StreamsForm): Streams {
  const { topics, env } = form;
  const open = new Map<string, Open>();
  const unreachable = new Set<string>();

  const streams: Streams = {
    sync() {
      for (const [name, stream] of open) {
        const topic = topics.all.get(name);
        if (!topic || !isWanted(topic) || topic.version !== stream.version) end(name, stream);
        if (topic?.followers.size === 0) forget(topic, topics);
      }
      for (const topic of topics.all.values()) {
        if (!isWanted(topic) || open.has(topic.name) || unreachable.has(topic.name)) continue;
        const path = topic.stream ?? knownStream(topic.name);
        if (path === null) giveUp(topic, 'WebSockets are blocked, and it has no event stream');
        else {
          const stream: Open = {
            closed: false,
            version: topic.version,
            failures: 0,
            silent: 0,
            refused: false,
            abort: null,
            cancel: () => undefined,
          };
          open.set(topic.name, stream);
          void run(topic, path, stream);
        }
      }
    },
    close() {
      for (const [name, stream] of open) end(name, stream);
    },
  };

  const end = (name: string, stream: Open): void => {
    open.delete(name);
    stream.closed = true;
    stream.cancel();
    stream.abort?.abort();
  };

  /** This deployment or network has no stream of the topic: a WebSocket may still have it. */
  const giveUp = ({ name }: Topic, why: string): void => {
    if (!unreachable.has(name)) form.failed(new ClientError('NO_STREAM', `${name}: ${why}`, { topics: [name] }));
    unreachable.add(name);
  };

  /** One request, and the next, until the topic is closed. */
  const run = async (topic: Topic, path: string, stream: Open): Promise<void> => {
    const again = (ms: number): void => {
      if (!stream.closed) stream.cancel = env.after(ms, () => void run(topic, path, stream));
    };
    try {
      const polls = stream.silent >= HELD_BACK;
      const began = env.now();
      await request(topic, path, polls, stream);
      stream.failures = 0;
      const wasFinite = polls || env.now() - began < SHORT_MS;
      again(wasFinite ? POLL_MS * (0.5 + env.random()) : REOPEN_MS * env.random());
    } catch (thrown) {
      if (stream.closed) return;
      const error =
        thrown instanceof ClientError
          ? thrown
          : new ClientError('STREAM', `${topic.name}: ${errorOf(thrown).message}`, { topics: [topic.name], cause: thrown });
      if (error.code === 'AUTHENTICATION_REQUIRED') {
        if (stream.refused || !form.tokens.renews) return form.denied(error);
        stream.refused = true;
      } else if (error.fatal) {
        if (!form.isOnly) {
          end(topic.name, stream);
          return giveUp(topic, error.message);
        }
        setDenied(topic, error);
        form.failed(error);
        return form.changed(topic);
      }
      if (!isExpected(error)) form.failed(error);
      stream.failures++;
      if ([...open.values()].every(({ failures }) => failures >= GIVEN_UP)) form.work(false);
      again(pauseMs(stream.failures, env.random));
    }
  };

  const request = async (topic: Topic, path: string, polls: boolean, stream: Open): Promise<void> => {
    const { since } = startOf(topic);
    topic.resumes = false;
    // a stream begins with what is new: it has no newest few
    for (const follower of topic.followers) follower.last = null;
    const token = await form.tokens.get(stream.refused);
    if (stream.closed) return;
    const abort = new AbortController();
    stream.abort = abort;
    const ticket = typeof token === 'object' && token ? `&ticket=${encodeURIComponent(token.ticket)}` : '';
    let cancel = env.after(FIRST_BYTE_MS, () => abort.abort());
    const stillThere = (): void => {
      cancel();
      cancel = env.after(SILENCE_MS, () => abort.abort());
    };
    let heard = false;
    try {
      const response = await (env.fetch as typeof fetch)(`${form.api}${path}&format=json${polls ? '&once=1' : ''}${ticket}`, {
        signal: abort.signal,
        headers: {
          accept: 'text/event-stream',
          ...bearer(token),
          ...(since ? { 'last-event-id': since.text } : {}),
        },
      });
      if (!response.ok) throw await failureOf(response, topic.name);
      stream.refused = false;
      if (!/^(text\/event-stream|application\/json)/.test(response.headers.get('content-type') ?? ''))
        throw new ClientError('STREAM', 'no event stream');
      const hear = (): void => {
        heard = true;
        if (!polls) stream.silent = 0;
        stillThere();
        form.work(true);
      };
      await read(
        response,
        hear,
        (message, id) => serve(topic, message, id),
        (text) => serveOnce(topic, text),
      );
    } finally {
      cancel();
      stream.abort = null;
      if (!heard && !polls) stream.silent++;
    }
  };

  /** `id`: of an event without a message, the position that the stream begins after. */
  const serve = (topic: Topic, message: Wire | null, id: string | null = null): void => {
    if (!message) {
      begin(topic, parsePosition(id));
      return;
    }
    const position = parsePosition(message['position']);
    if (position) {
      topics.epochs.set(position.epoch, topic);
      // the topic was made anew: the server delivers all of it
      if (topic.epoch !== position.epoch) anew(topic, position.epoch);
    }
    const { taken } = take(message, topics);
    if (taken === 'hole') {
      resume(topic);
      streams.sync();
    }
    form.changed(topic);
  };

  const serveOnce = (topic: Topic, text: string): void => {
    const { messages, recovered, position } = JSON.parse(text) as { messages: Wire[]; recovered?: boolean; position: string };
    if (recovered === false) anew(topic, null);
    for (const message of messages) serve(topic, message);
    begin(topic, parsePosition(position));
    form.changed(topic);
  };

  return streams;
}

/** Gives a position to followers that have none yet. */
function begin(topic: Topic, position: Position | null): void {
  if (!position) return;
  topic.epoch ??= position.epoch;
  for (const follower of topic.followers) if (!follower.form.isState) follower.received ??= position;
}

/** Failures that a network or a busy server explains. */
const isExpected = ({ code, cause }: ClientError): boolean =>
  code.startsWith('HTTP_') || (code === 'STREAM' && /^(Type|Abort)Error$/.test((cause as Error | undefined)?.name ?? ''));

/** Starts the followers over: their position is of another epoch, or was trimmed. */
function anew(topic: Topic, epoch: string | null): void {
  topic.epoch = epoch;
  for (const follower of topic.followers) {
    const { received, form } = follower;
    if (received === null || received.epoch === epoch) continue;
    if (!form.isState) form.onGap({ since: received.text, from: null });
    follower.received = null;
  }
}

/** Reads a response: a stream of events, or one JSON document. */
async function read(
  response: Response,
  hear: () => void,
  onMessage: (message: Wire | null, id: string | null) => void,
  onDocument: (text: string) => void,
): Promise<void> {
  if (response.headers.get('content-type')?.startsWith('application/json')) {
    const text = await response.text();
    hear();
    return onDocument(text);
  }
  const reader = eventReader(({ data, id }) => onMessage(JSON.parse(data) as Wire | null, id));
  if (!response.body) {
    // React Native has no streaming bodies: the whole text comes at the stream's end
    const text = await response.text();
    hear();
    return reader(text);
  }
  const decoder = new TextDecoder();
  const body = response.body.getReader();
  for (;;) {
    const { done, value } = await body.read();
    if (done) return;
    hear();
    reader(decoder.decode(value as Uint8Array, { stream: true }));
  }
}

async function failureOf(response: Response, topic: string): Promise<Error> {
  const { error_code: code = '', error_message: text = '' } = (await response.json().catch(() => ({}))) as Record<string, string>;
  if (response.status === 401) return new ClientError('AUTHENTICATION_REQUIRED', text || '401', { fatal: true });
  const isFinal = [400, 403, 404, 409].includes(response.status);
  return new ClientError(code || `HTTP_${response.status}`, text || `${response.status}`, {
    fatal: isFinal,
    topics: [topic],
  });
}
