/** A link with what belongs to it: its subscriptions, its timers, the token that it was opened with. */
import { pauseMs } from './backoff.ts';
import type { Env } from './env.ts';
import { ClientError, errorOf } from './errors.ts';
import { type Link, openLink } from './link.ts';
import type { Session } from './session.ts';
import type { Token, TokenSource } from './token.ts';

export interface Line {
  readonly link: Link;
  readonly session: Session;
  readonly token: Token;
  /** Its first frame has come. */
  greeted: boolean;
  /** It has lasted a while. */
  proven: boolean;
  /** Once it has caught up it is live to its end: a new topic is no recovery. */
  live: boolean;
  /** Ends its timers. */
  readonly cancel: (() => void)[];
}

/** Nothing of a line outlives it. */
export function retire({ link, session, cancel }: Line): void {
  session.close();
  for (const one of cancel.splice(0)) one();
  link.close();
}

/** Opens a link with a token: as a subprotocol, because browsers can send no header, or as a ticket, which is good for one use only. */
export function openWith(token: Token, url: string, silenceMs: number, env: Env, events: Parameters<typeof openLink>[2]): Link {
  const ticket = typeof token === 'object' && token ? `?ticket=${encodeURIComponent(token.ticket)}` : '';
  const protocols = typeof token === 'string' && token !== '' ? ['push.json.v1', `bearer.${token}`] : [];
  return openLink({ url: url + ticket, protocols, silenceMs }, env, events);
}

/** Sends a message; a failure is reported. */
export function sendOn({ link }: Pick<Line, 'link'>, message: object, failed: (error: ClientError) => void): void {
  try {
    link.send(message);
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
  replace(line: Line): void;
}

/** Renews the token in good time. `seconds`: how long it is good for, as the server says: clocks of clients are wrong. */
export function renewLater(line: Line, seconds: unknown, renewal: Renewal): void {
  if (typeof seconds !== 'number' || !renewal.tokens.renews) return;
  const part = RENEW_FROM + renewal.env.random() * (RENEW_TO - RENEW_FROM);
  renewAfter(line, Math.max(SOONEST_MS, seconds * 1000 * part), false, renewal);
}

/** Renews the token after a while, and tries again for as long as the line lasts. `refused`: the server took the last one no more. */
export function renewAfter(line: Line, ms: number, refused: boolean, renewal: Renewal, failures = 0): void {
  const { tokens, env, failed, replace } = renewal;
  const renew = async (): Promise<void> => {
    try {
      const token = await tokens.get(refused);
      if (line.link.isOver) return;
      if (typeof token === 'string') sendOn(line, { type: 'refresh', token }, failed);
      else if (token) replace(line);
    } catch (error) {
      failed(tokenFailed(error));
      renewAfter(line, pauseMs(failures + 1, env.random), refused, renewal, failures + 1);
    }
  };
  if (!line.link.isOver) line.cancel.push(env.after(ms, () => void renew()));
}

export const tokenFailed = (error: unknown): ClientError =>
  new ClientError('TOKEN', `token function: ${errorOf(error).message}`, { cause: error });
