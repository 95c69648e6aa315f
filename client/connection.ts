/**
 * The connection: at most one line that is used, and one that takes its place. Everything that may start or end a line asks
 * first whether the program wants one (`desired`): logging out is final.
 */
import { pauseMs, rotationMs } from './backoff.ts';
import type { Connection, ConnectionForm } from './connection-form.ts';
import { httpStatus } from './denial.ts';
import { ClientError } from './errors.ts';
import { createFallback } from './fallback.ts';
import type { Wire } from './follower.ts';
import { type Line, openWith, renewAfter, renewLater, retire, sendOn, tokenFailed } from './line.ts';
import { watchMachine } from './machine.ts';
import { createSession } from './session.ts';
import type { Status } from './status.ts';
import type { Token } from './token.ts';

/** Token, handshake and first frame together must not take longer; three times as long after failures, because the server may be busy. In ms. */
const OPENING_MS = 20_000;
const LONGEST_OPENING = 3;
/** A line that lasted this long after its first frame has proved itself: the next failure counts from one. In ms. */
const PROVEN_MS = 10_000;
/** So many lines in a row without a frame: WebSockets may be blocked here. */
const BLOCKED = 3;
/** A retry this near is not put forward, in ms. */
const SOON_MS = 2_000;
/** Requests that wait for answers are looked at again after this, in ms. */
const SETTLE_MS = 1_000;
/** A client with too many connections waits this long, and so does the replacement of a line that works. In ms. */
const PATIENCE_MS = 60_000;

export function createConnection(form: ConnectionForm): Connection {
  const { env, tokens, topics, requests, failed, changed } = form;
  const sockets = form.transports.includes('websocket') && env.WebSocket !== null;
  const streams = form.transports.includes('sse') && env.fetch !== null;
  let desired = false;
  let denial: ClientError | null = null;
  let wasClosed = false;
  let status: Status = 'idle';
  let current: Line | null = null;
  /** The one that will take its place. */
  let next: Line | null = null;
  /** Number of the newest attempt. Results of older ones are ignored. */
  let attempt = 0;
  let failures = 0;
  let silentLines = 0;
  let wasLive = false;
  /** That the server is away was told. */
  let isAway = false;
  /** The last token was refused: another one is needed. */
  let refused = false;
  let cancelRetry: (() => void) | null = null;
  let retryAt = 0;
  let unwatch = (): void => undefined;
  const fallback = createFallback(
    { api: form.addresses.streams, isOnly: !sockets, topics, tokens, env, changed, failed, denied: (error) => deny(error) },
    () => look(),
  );

  const renewal = { tokens, env, failed, replace: (line: Line) => replace(line) };

  const look = (): void => {
    const before = status;
    status = statusNow();
    if (status === 'live') wasLive = true;
    if (status !== before) form.status(status);
  };
  const statusNow = (): Status => {
    if (!desired) return denial ? 'denied' : wasClosed ? 'closed' : 'idle';
    if (current) current.live ||= current.session.hasCaughtUp;
    if (current ? current.live : fallback.works) return 'live';
    if (!current && cancelRetry) return 'waiting';
    return current && wasLive ? 'recovering' : 'connecting';
  };

  // --- lines ----------------------------------------------------------------------------------------------------

  const open = async (): Promise<void> => {
    const mine = ++attempt;
    const isOld = (): boolean => mine !== attempt || !desired;
    const cancelOpening = env.after(OPENING_MS * Math.min(LONGEST_OPENING, 1 + failures), () => {
      if (isOld()) return;
      tellAway();
      lose(next, 'it took too long');
    });
    look();
    let token: Token;
    try {
      token = await tokens.get(refused);
    } catch (error) {
      cancelOpening();
      if (isOld()) return;
      failed(tokenFailed(error));
      retry();
      return;
    }
    if (isOld()) {
      cancelOpening();
      return;
    }
    const link = openWith(token, form.addresses.socket, form.silenceMs, env, {
      // everything is asked for at once, without waiting for the greeting
      opened() {
        if (form.info) sendOn(line, { type: 'client_info', data: form.info }, failed);
        line.session.sync();
      },
      message: (message) => serve(message, line),
      ended: () => lose(line, 'the connection ended'),
      unusable: (error) => deny(error),
    });
    const session = createSession(link, topics, env, {
      caughtUp: () => promote(line),
      changed,
      failed,
      stuck: () => lose(line, 'no answers came'),
    });
    const line: Line = { link, session, token, greeted: false, proven: false, live: false, cancel: [cancelOpening] };
    next = line;
  };

  /** From its first frame on a line is used if there is no other; one that works is replaced when the next has caught up. */
  const promote = (line: Line): void => {
    const isReady = line !== current && line.greeted && !line.link.isOver && (!current || line.session.hasCaughtUp);
    // their answers come over the old one
    if (isReady && current && requests.areWaiting) line.cancel.push(env.after(SETTLE_MS, () => promote(line)));
    else if (isReady) {
      const before = current;
      current = line;
      if (next === line) next = null;
      if (before) retire(before);
      line.cancel.push(env.after(rotationMs(env.random), () => replace(line)));
    }
    // streams go on until the WebSocket has what they had
    if (current?.session.hasCaughtUp) fallback.stop();
    look();
  };

  const replace = (line: Line): void => {
    if (line === current && !next && desired) void open();
  };

  /** Takes a line out of use. */
  const discard = (line: Line | null, why: string): void => {
    if (line) retire(line);
    if (line === next) {
      next = null;
      attempt++;
    }
    if (line === null || line !== current) return;
    current = null;
    requests.drop(`${why}; it may have been carried out`);
  };

  const lose = (line: Line | null, why: string): void => {
    const wasUsed = line !== null && line === current;
    if (line && !line.greeted) silentLines++;
    discard(line, why);
    if (!desired) return;
    if (wasUsed && next) {
      // its successor is on the way already
      promote(next);
      return;
    }
    if (line && !line.greeted && (!wasLive || silentLines > 1)) void askWhy(line.token);
    retry(wasUsed);
  };

  /** `isUrgent`: a retry that was planned for a replacement comes too late. */
  const retry = (isUrgent = false): void => {
    if (!desired || (cancelRetry && !isUrgent)) return;
    failures++;
    later(current ? PATIENCE_MS : (fallback.nextPauseMs() ?? pauseMs(failures, env.random)));
  };

  const later = (ms: number): void => {
    cancelRetry?.();
    retryAt = env.now() + ms;
    cancelRetry = env.after(ms, () => {
      cancelRetry = null;
      if (desired && !next) void open();
    });
    look();
  };

  // --- what the server says -------------------------------------------------------------------------------------

  const serve = (message: Wire, line: Line): void => {
    const { type } = message;
    if (!line.greeted) {
      line.greeted = true;
      silentLines = 0;
      refused = isAway = false;
      for (const cancel of line.cancel.splice(0)) cancel();
      line.cancel.push(
        env.after(PROVEN_MS, () => {
          failures = 0;
          line.proven = true;
        }),
      );
      promote(line);
    }
    if (type === 'ping') sendOn(line, { type: 'pong' }, failed);
    else if (type === 'connected' || type === 'refreshed') renewLater(line, message['expires_in'], renewal);
    else if (type === 'reconnect') comeBack(message, line);
    else {
      const answers = requests.message(message);
      // an answer may be a message of a topic, too
      const isAboutTopics = line.session.message(message);
      if (type === 'error' && !isAboutTopics) onError(message, line, answers);
    }
    if (status !== 'live') look();
  };

  const onError = (message: Wire, line: Line, isAnswer: boolean): void => {
    const { error_code: code, error_message: text } = (message['data'] ?? {}) as Wire;
    const error = new ClientError(String(code), String(text));
    if (code === 'AUTHENTICATION_REQUIRED') {
      // it ran out, and the server ends the line next; or a new one was refused, and the line goes on under the old one
      refused = true;
      if (!tokens.renews) {
        deny(new ClientError(error.code, error.message, { fatal: true }));
        return;
      }
      renewAfter(line, pauseMs(1, env.random), true, renewal);
    }
    if (!isAnswer) failed(error);
    if (code !== 'TOO_MANY_CONNECTIONS') return;
    discard(line, 'too many connections');
    later(PATIENCE_MS * (1 + env.random()));
  };

  const comeBack = ({ after_ms: after, within_ms: within }: Wire, line: Line): void => {
    const ms = Number(after) + env.random() * Number(within);
    // a server that says so to every new connection must not be obeyed at once
    const floor = failures > 0 || !line.proven ? PROVEN_MS : 0;
    if (Number.isFinite(ms)) line.cancel.push(env.after(ms + floor, () => replace(line)));
  };

  /** Asks over HTTP if the token was the reason. */
  const askWhy = async (token: Token): Promise<void> => {
    const answer = await httpStatus(form.addresses.api, token, env);
    if (!desired || current) return;
    if (answer === 0) tellAway();
    else if (answer !== 401) {
      // HTTP gets through, and WebSockets do not
      if (silentLines >= BLOCKED && streams) fallback.start();
    } else if (refused || !tokens.renews) {
      const why = token ? 'the server refused the token' : 'the server asks for a token';
      deny(new ClientError('AUTHENTICATION_REQUIRED', why, { fatal: true }));
    } else {
      // it may only have expired
      refused = true;
      later(0);
    }
  };

  const tellAway = (): void => {
    if (!isAway) failed(new ClientError('AWAY', `no answer from ${form.addresses.socket}: trying again`));
    isAway = true;
  };

  const deny = (error: ClientError): void => {
    denial = error;
    shutDown();
    failed(error);
  };

  // --- the program, and the machine -----------------------------------------------------------------------------

  const wake = (): void => {
    current?.link.probe(true);
    if (!current && !next && cancelRetry && retryAt - env.now() > SOON_MS) later(pauseMs(1, env.random) / 4);
  };

  const suspend = (): void => {
    discard(next, '');
    discard(current, 'the connection was closed');
    attempt++;
    cancelRetry?.();
    cancelRetry = null;
    fallback.stop();
  };

  const begin = (): void => {
    if (sockets) void open();
    else fallback.start();
    look();
  };

  const shutDown = (): void => {
    desired = false;
    unwatch();
    suspend();
    look();
  };

  return {
    get status() {
      return status;
    },
    get denial() {
      return denial;
    },
    get link() {
      return current?.link ?? null;
    },
    caughtUp: (topic) => (current ? current.session.caughtUp(topic) : fallback.works),
    get transport() {
      return current ? 'websocket' : fallback.works ? 'sse' : null;
    },
    start() {
      if (desired) return;
      if (form.transports.includes('websocket') ? !sockets : !streams)
        throw new ClientError('NO_WEBSOCKET', 'no WebSocket here: give one as env: { WebSocket }, from the package ws', {
          fatal: true,
        });
      [desired, wasClosed, refused, failures, silentLines] = [true, false, false, 0, 0];
      denial = null;
      unwatch = watchMachine(env, { woken: wake, offline: () => current?.link.probe(), suspended: suspend, resumed: begin });
      begin();
    },
    close() {
      wasClosed = true;
      denial = null;
      shutDown();
    },
    sync() {
      current?.session.sync();
      next?.session.sync();
      fallback.sync();
      look();
    },
  };
}
