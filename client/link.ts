/** A link: a socket with what belongs to it: its subscriptions, its timers, the token that it is opened with. */
import { pauseMs } from './backoff.ts';
import type { ConnectionForm } from './connection-form.ts';
import type { Env } from './env.ts';
import type { ClientError } from './errors.ts';
import type { Wire } from './follower.ts';
import { openSocket, type Socket, type SocketAddress } from './socket.ts';
import { createSubscriptions, type Subscriptions } from './subscriptions.ts';
import type { Token, TokenSource } from './token.ts';

export interface Link {
  readonly socket: Socket;
  readonly subscriptions: Subscriptions;
  /** The token of its handshake; '' = it needed none, `null` = the handshake was not begun. */
  token: Exclude<Token, undefined>;
  /** Its first frame has come. */
  greeted: boolean;
  /** It has lasted a while. */
  proven: boolean;
  /** Once it has caught up it is live to its end: a new topic is no recovery. */
  live: boolean;
  /** Ends its timers. */
  readonly cancel: (() => void)[];
}

export interface LinkEvents {
  message(message: Wire, link: Link): void;
  caughtUp(link: Link): void;
  /** It is of no use any more. */
  lost(link: Link, why: string): void;
  /** The token cannot be sent: trying again is of no use. */
  unusable(error: ClientError): void;
}

/** Gets a token and opens a link with it. `refused`: the server took the last one no more. */
export function openLink(form: ConnectionForm, refused: boolean, events: LinkEvents): Link {
  const { addresses, topics, tokens, env, info, changed, failed } = form;
  /** The token goes as a subprotocol, because browsers can send no header; a ticket, which is good for one use only, in the address. */
  const dial = (token: Token): SocketAddress => {
    link.token = token ?? '';
    return typeof link.token === 'string'
      ? { url: addresses.socket, protocols: link.token ? ['push.json.v1', `bearer.${link.token}`] : [] }
      : { url: `${addresses.socket}?ticket=${encodeURIComponent(link.token.ticket)}`, protocols: [] };
  };
  const noToken = (error: ClientError): never => {
    if (!socket.isOver) failed(error);
    throw error;
  };
  const lost = (why: string) => () => events.lost(link, why);
  const socket: Socket = openSocket(tokens.get(refused).then(dial, noToken), form.silenceMs, env, {
    // everything is asked for at once, without waiting for the greeting
    opened() {
      if (info) sendOn(link, { type: 'client_info', data: info }, failed);
      link.subscriptions.sync();
    },
    message: (message) => events.message(message, link),
    ended: lost('the connection ended'),
    unusable: events.unusable,
  });
  const caughtUp = () => events.caughtUp(link);
  const subscriptions = createSubscriptions(socket, topics, env, { caughtUp, changed, failed, stuck: lost('no answers came') });
  const link: Link = { socket, subscriptions, token: null, greeted: false, proven: false, live: false, cancel: [] };
  return link;
}

/** Nothing of a link outlives it. */
export function retire({ socket, subscriptions, cancel }: Link): void {
  subscriptions.close();
  for (const one of cancel.splice(0)) one();
  socket.close();
}

/** Sends a message; a failure is reported. */
export function sendOn({ socket }: Pick<Link, 'socket'>, message: object, failed: (error: ClientError) => void): void {
  try {
    socket.send(message);
  } catch (error) {
    failed(error as ClientError);
  }
}

/** A token is renewed at a random moment of this part of its life. */
const RENEW_FROM = 0.7;
const RENEW_TO = 0.9;
/** A function may return the same token until it runs out, in ms. */
const SOONEST_MS = 10_000;

export interface Renewal {
  readonly tokens: TokenSource;
  readonly env: Env;
  failed(error: ClientError): void;
  /** A ticket opens a new connection, and renews none. */
  replace(link: Link): void;
}

/** Renews the token in good time. `seconds`: how long it is good for, as the server says: clocks of clients are wrong. */
export function renewLater(link: Link, seconds: unknown, renewal: Renewal): void {
  if (typeof seconds !== 'number' || !renewal.tokens.renews) return;
  const part = RENEW_FROM + renewal.env.random() * (RENEW_TO - RENEW_FROM);
  renewAfter(link, Math.max(SOONEST_MS, seconds * 1000 * part), false, renewal);
}

/** Renews the token after a while, and tries again for as long as the link lasts. `refused`: the server took the last one no more. */
export function renewAfter(link: Link, ms: number, refused: boolean, renewal: Renewal, failures = 0): void {
  const { tokens, env, failed, replace } = renewal;
  const renew = async (): Promise<void> => {
    try {
      const token = await tokens.get(refused);
      if (link.socket.isOver) return;
      if (typeof token === 'string') sendOn(link, { type: 'refresh', token }, failed);
      else if (token) replace(link);
    } catch (error) {
      failed(error as ClientError);
      renewAfter(link, pauseMs(failures + 1, env.random), refused, renewal, failures + 1);
    }
  };
  if (!link.socket.isOver) link.cancel.push(env.after(ms, () => void renew()));
}
