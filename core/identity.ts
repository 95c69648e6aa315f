import { PushError } from './errors.ts';

/** A caller. */
export interface Principal {
  readonly userId: string;
  readonly roles: readonly string[];
}

/** Every caller of a deployment without identity: the address is trusted, and every role granted. */
export const ANYBODY: Principal = { userId: '*', roles: ['*'] };

export interface Identity {
  /** False: callers need no token (`AUTH_MODE=none`). */
  readonly required: boolean;
  /** Whether callers without identity may act, and not only read. */
  readonly anonymousControl: boolean;
  /** MUST check the algorithm before it fetches any key. Throws `AUTHENTICATION_REQUIRED`, or UnavailableError if the keys cannot be had. */
  verify(token: string): Promise<Principal>;
}

/** The token of an `Authorization` header; `null` if there is none. */
export const readBearer = (header: string | null | undefined): string | null => /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? null;

/** The caller with this token. Throws if a token is needed and it is missing or bad. */
export async function authenticate(token: string | null, identity: Identity): Promise<Principal> {
  if (!identity.required) return ANYBODY;
  if (token === null) throw new PushError('AUTHENTICATION_REQUIRED', 'a token is needed: Authorization: Bearer <token>');
  return identity.verify(token);
}

/** Whether this is the user that a topic is private to. */
export const isUser = (principal: Principal, userId: string): boolean => principal === ANYBODY || principal.userId === userId;

export const holdsRole = (principal: Principal, role: string): boolean => principal === ANYBODY || principal.roles.includes(role);

/** Whether a caller may act with this role. Acting needs more than reading: without identity the deployment must allow it. */
export const mayAct = (principal: Principal | null, role: string, { anonymousControl }: Identity): boolean =>
  principal === ANYBODY ? anonymousControl : (principal?.roles.includes(role) ?? false);
