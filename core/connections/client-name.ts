import type { Connection } from '../ports.ts';

/**
 * Whom a connection counts for: its user; where nobody is asked who they are, the client id it announced together with
 * its address, for the same id may be announced by many. `null` = it is not counted.
 */
export function clientOf({ principal, announced, sourceIp }: Pick<Connection, 'principal' | 'announced' | 'sourceIp'>): string | null {
  if (principal) return `user#${principal.userId}`;
  return announced === null ? null : `address#${sourceIp}#${announced}`;
}
