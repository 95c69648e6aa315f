import { PushError } from './errors.ts';

/** A caller. */
export interface Principal {
  readonly userId: string;
  readonly roles: readonly string[];
  /** When its token was issued, in ms; without it, long ago. */
  readonly issuedAtMs?: number;
  /** When its token expires, in ms; without it, never. */
  readonly expiresAtMs?: number;
  /** It is this agent, and proved it by the agent's key. Tokens make no agents. */
  readonly agent?: string;
}

/** An agent: a program that publishes of one machine, and is told what to do there. */
export const agentPrincipal = (agent: string): Principal => ({ userId: `agent:${agent}`, roles: [], agent });

/** Every caller of a deployment without identity: the address is trusted, and every role granted. */
export const ANYBODY: Principal = { userId: '*', roles: ['*'] };

/** A ticket stands in for a token where a browser can send none. */
export interface TicketUse {
  readonly ticket: string;
  /** What it opens: the path of the WebSocket, or of an event stream. */
  readonly path: string;
  /** The address of an event stream, which reopens it: a ticket is good for the first one only. `null` = it opens once. */
  readonly url: string | null;
}

export interface Identity {
  /** False: callers need no token (`AUTH_MODE=none`). */
  readonly required: boolean;
  /** Whether callers without identity may act, and not only read. */
  readonly anonymousControl: boolean;
  /** MUST check the algorithm before it fetches any key. Throws `AUTHENTICATION_REQUIRED`, or UnavailableError if the keys cannot be had. */
  verify(token: string): Promise<Principal>;
  /** The holder of a ticket. Throws `AUTHENTICATION_REQUIRED`. */
  redeem(use: TicketUse): Promise<Principal>;
  /** False once the caller's token has expired, or its user was disconnected after it was issued. */
  mayStay(principal: Principal): Promise<boolean>;
}

/** The token of an `Authorization` header; `null` if there is none. */
export const readBearer = (header: string | null | undefined): string | null => /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? null;

/** The caller with this token, or else this ticket. Throws if one is needed and it is missing or bad. */
export async function authenticate(token: string | null, identity: Identity, use: TicketUse | null = null): Promise<Principal> {
  if (!identity.required) return ANYBODY;
  if (token === null && use !== null) return identity.redeem(use);
  if (token === null) throw new PushError('AUTHENTICATION_REQUIRED', 'a token is needed: Authorization: Bearer <token>');
  return identity.verify(token);
}

/** Whether a token was issued before its user was disconnected. Tokens tell seconds: one of the same second counts as older. */
export const isRevoked = ({ issuedAtMs = 0 }: Principal, revokedBeforeMs: number | null): boolean =>
  revokedBeforeMs !== null && issuedAtMs < revokedBeforeMs;

/** Clocks differ by a few seconds: a token is good for this much longer, in ms. */
export const TOKEN_GRACE_MS = 5_000;

/** Whether the caller's token has expired. */
export const isExpired = ({ expiresAtMs }: Principal, nowMs: number): boolean =>
  expiresAtMs !== undefined && expiresAtMs + TOKEN_GRACE_MS <= nowMs;

/** How long the caller's token is still good for; `null` = for good, or there is none. */
export const expiresInMs = (principal: Principal | null, nowMs: number): number | null =>
  principal?.expiresAtMs === undefined ? null : Math.max(0, principal.expiresAtMs - nowMs);

/** The error that a caller with an expired token gets. */
export const tokenExpired = (): PushError =>
  new PushError('AUTHENTICATION_REQUIRED', 'the token has expired: connect again with a new one');

/** Whether this is the user that a topic is private to. */
export const isUser = (principal: Principal, userId: string): boolean => principal === ANYBODY || principal.userId === userId;

export const holdsRole = (principal: Principal, role: string): boolean => principal === ANYBODY || principal.roles.includes(role);

/** Whether a caller may act with this role. Acting needs more than reading: without identity the deployment must allow it. */
export const mayAct = (principal: Principal | null, role: string, { anonymousControl }: Identity): boolean =>
  principal === ANYBODY ? anonymousControl : (principal?.roles.includes(role) ?? false);
