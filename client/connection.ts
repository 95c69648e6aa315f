/**
 * The connection: at most one link that is used, and one that takes its place. Everything that may start or end a link asks
 * first whether the program wants one (`desired`): logging out is final.
 */
import { hintMs, openingMs, PATIENCE_MS, PROVEN_MS, pauseMs, rotationMs, SETTLE_MS, SOON_MS } from './backoff.ts';
import type { Connection, ConnectionForm } from './connection-form.ts';
import { httpStatus } from './denial.ts';
import { ClientError } from './errors.ts';
import { createFallback } from './fallback.ts';
import type { Wire } from './follower.ts';
import { type Link, openLink, renewAfter, renewLater, retire, sendOn } from './link.ts';
import { watchMachine } from './machine.ts';
import type { Status } from './status.ts';
import type { Token } from './token.ts';

/**
 * Links without a frame before the server is asked over HTTP for the reason; 1 at first, because the token may be wrong. The
 * second answer in a row starts the fallback: at the 3rd link, or at the 4th if a link has worked before.
 */
const ASK_AFTER = 2;

export function createConnection(form: ConnectionForm): Connection {
  const { env, tokens, topics, requests, failed, changed } = form;
  const sockets = form.transports.includes('websocket') && env.WebSocket !== null;
  const streams = form.transports.includes('sse') && env.fetch !== null;
  let desired = false;
  let denial: ClientError | null = null;
  /** The status while none is wanted. */
  let rest: Status = 'idle';
  let status: Status = 'idle';
  let current: Link | null = null;
  /** The one that will take its place. */
  let next: Link | null = null;
  let failures = 0;
  /** Links without a frame until the server is asked why. */
  let untilAsked = 1;
  /** The server has answered over HTTP since the last frame. */
  let gotThrough = false;
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

  const renewal = { tokens, env, failed, replace: (link: Link) => replace(link) };

  const look = (): void => {
    const before = status;
    status = statusNow();
    if (status === 'live') wasLive = true;
    if (status !== before) form.status(status);
  };
  const statusNow = (): Status => {
    if (!desired) return rest;
    if (current) current.live ||= current.subscriptions.hasCaughtUp;
    if (current ? current.live : fallback.works) return 'live';
    if (!current && cancelRetry) return 'waiting';
    return current && wasLive ? 'recovering' : 'connecting';
  };

  // --- links ----------------------------------------------------------------------------------------------------

  const open = (): void => {
    const link = openLink(form, refused, { message: serve, caughtUp: promote, lost: lose, unusable: deny });
    link.cancel.push(
      env.after(openingMs(failures), () => {
        tellAway();
        lose(link, 'it took too long');
      }),
    );
    next = link;
    look();
  };

  /** From its first frame on a link is used if there is no other; one that works is replaced when the next has caught up. */
  const promote = (link: Link): void => {
    const isReady = link !== current && link.greeted && !link.socket.isOver && (!current || link.subscriptions.hasCaughtUp);
    // their answers come over the old one
    if (isReady && current && requests.areWaiting) link.cancel.push(env.after(SETTLE_MS, () => promote(link)));
    else if (isReady) {
      const before = current;
      current = link;
      if (next === link) next = null;
      if (before) retire(before);
      link.cancel.push(env.after(rotationMs(env.random), () => replace(link)));
    }
    // streams go on until the WebSocket has what they had
    if (current?.subscriptions.hasCaughtUp) fallback.stop();
    look();
  };

  const replace = (link: Link): void => {
    if (link === current && !next && desired) open();
  };

  /** Takes a link out of use. */
  const discard = (link: Link | null, why: string): void => {
    if (link) retire(link);
    if (link === next) next = null;
    if (link === null || link !== current) return;
    current = null;
    requests.drop(`${why}; it may have been carried out`);
  };

  const lose = (link: Link, why: string): void => {
    const wasUsed = link === current;
    discard(link, why);
    if (!desired) return;
    if (wasUsed && next) {
      // its successor is on the way already
      promote(next);
      return;
    }
    if (link.token !== null && !link.greeted && (--untilAsked <= 0 || refused)) {
      untilAsked = ASK_AFTER;
      void askWhy(link.token);
    }
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
      if (desired && !next) open();
    });
    look();
  };

  // --- what the server says -------------------------------------------------------------------------------------

  const serve = (message: Wire, link: Link): void => {
    const { type } = message;
    if (!link.greeted) {
      link.greeted = true;
      untilAsked = ASK_AFTER;
      refused = isAway = gotThrough = false;
      for (const cancel of link.cancel.splice(0)) cancel();
      link.cancel.push(
        env.after(PROVEN_MS, () => {
          failures = 0;
          link.proven = true;
        }),
      );
      promote(link);
    }
    if (type === 'ping') sendOn(link, { type: 'pong' }, failed);
    else if (type === 'connected' || type === 'refreshed') renewLater(link, message['expires_in'], renewal);
    else if (type === 'reconnect') comeBack(message, link);
    else {
      const answers = requests.message(message);
      // an answer may be a message of a topic, too
      const isAboutTopics = link.subscriptions.message(message);
      if (type === 'error' && !isAboutTopics) onError(message, link, answers);
    }
    if (status !== 'live') look();
  };

  const onError = (message: Wire, link: Link, isAnswer: boolean): void => {
    const { error_code: code, error_message: text } = (message['data'] ?? {}) as Wire;
    const error = new ClientError(String(code), String(text));
    if (code === 'AUTHENTICATION_REQUIRED') {
      // it ran out, and the server ends the link next; or a new one was refused, and the link goes on under the old one
      refused = true;
      if (!tokens.renews) {
        deny(new ClientError(error.code, error.message, { fatal: true }));
        return;
      }
      renewAfter(link, pauseMs(1, env.random), true, renewal);
    }
    if (!isAnswer) failed(error);
    if (code !== 'TOO_MANY_CONNECTIONS') return;
    discard(link, 'too many connections');
    later(PATIENCE_MS * (1 + env.random()));
  };

  const comeBack = (hint: Wire, link: Link): void => {
    const ms = hintMs(hint, failures > 0 || !link.proven, env.random);
    if (Number.isFinite(ms)) link.cancel.push(env.after(ms, () => replace(link)));
  };

  /** Asks over HTTP if the token was the reason. */
  const askWhy = async (token: Token): Promise<void> => {
    const answer = await httpStatus(form.addresses.api, token, env);
    if (!desired || current) return;
    if (answer === 0) {
      gotThrough = false;
      tellAway();
    } else if (answer !== 401) {
      // HTTP gets through, and WebSockets do not
      if (gotThrough && streams) fallback.start();
      gotThrough = true;
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
    rest = 'denied';
    shutDown();
    failed(error);
  };

  // --- the program, and the machine -----------------------------------------------------------------------------

  const wake = (): void => {
    current?.socket.probe(true);
    if (!current && !next && cancelRetry && retryAt - env.now() > SOON_MS) later(pauseMs(1, env.random) / 4);
  };

  const suspend = (): void => {
    discard(next, '');
    discard(current, 'the connection was closed');
    cancelRetry?.();
    cancelRetry = null;
    fallback.stop();
  };

  const begin = (): void => {
    untilAsked = 1;
    gotThrough = false;
    if (sockets) open();
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
    get socket() {
      return current?.socket ?? null;
    },
    caughtUp: (topic) => (current ? current.subscriptions.caughtUp(topic) : fallback.works),
    get transport() {
      return current ? 'websocket' : fallback.works ? 'sse' : null;
    },
    start() {
      if (desired) return;
      if (form.transports.includes('websocket') ? !sockets : !streams)
        throw new ClientError('NO_WEBSOCKET', 'no WebSocket here: give env: { WebSocket }, from the package ws', {
          fatal: true,
        });
      desired = true;
      refused = false;
      failures = 0;
      denial = null;
      unwatch = watchMachine(env, { woken: wake, offline: () => current?.socket.probe(), suspended: suspend, resumed: begin });
      begin();
    },
    close() {
      rest = 'closed';
      denial = null;
      shutDown();
    },
    sync() {
      current?.subscriptions.sync();
      next?.subscriptions.sync();
      fallback.sync();
      look();
    },
  };
}
