import { PushError } from './errors.ts';

/** Who somebody is. */
export interface Principal {
  readonly userId: string;
  readonly roles: readonly string[];
}

/** Whom a deployment without identity takes everybody for: the address is trusted, and every role granted. */
export const ANYBODY: Principal = { userId: '*', roles: ['*'] };

export interface Identity {
  /** False: who calls is not asked (`AUTH_MODE=none`). */
  readonly required: boolean;
  /** Whether somebody who was not asked may act on the monitored systems. */
  readonly anonymousControl: boolean;
  /** MUST check the algorithm before it fetches any key. Throws `AUTHENTICATION_REQUIRED`, or UnavailableError where keys cannot be had. */
  verify(token: string): Promise<Principal>;
}

/** The token of an `Authorization` header, or `null` where there is none. */
export const readBearer = (header: string | null | undefined): string | null => /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? null;

/** Who calls with this token. Throws where a token is needed and missing or bad. */
export async function authenticate(token: string | null, identity: Identity): Promise<Principal> {
  if (!identity.required) return ANYBODY;
  if (token === null) throw new PushError('AUTHENTICATION_REQUIRED', 'a token is needed: Authorization: Bearer <token>');
  return identity.verify(token);
}

/** Whether this is the user that a topic is private to. */
export const isUser = (principal: Principal, userId: string): boolean => principal === ANYBODY || principal.userId === userId;

/** Roles of the operations monitor: who may see it, and who may act. */
export const READ_OPERATIONS = 'ops:read';
const CONTROL_OPERATIONS = 'ops:control';

/** To act is more than to see: nobody may who is not known, unless the deployment says so. */
export const mayControl = (principal: Principal, { anonymousControl }: Identity): boolean =>
  principal === ANYBODY ? anonymousControl : principal.roles.includes(CONTROL_OPERATIONS);

export const holdsRole = (principal: Principal, role: string): boolean => principal === ANYBODY || principal.roles.includes(role);
