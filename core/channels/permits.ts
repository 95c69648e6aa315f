/** Permissions to subscribe to a channel's topics. */
import { holdsRole, isUser, type Principal } from '../identity.ts';
import type { Values } from './topic-pattern.ts';

/** `hint` completes the error that others get: "this topic …". */
export interface Permit<TopicValues = Values> {
  readonly hint: string;
  permits(principal: Principal, values: TopicValues): boolean;
}

export const ANYONE: Permit<object> = { hint: 'is for everybody', permits: () => true };

/** Of an internal channel. */
export const NOBODY: Permit<object> = { hint: 'is for no client', permits: () => false };

/** Only the agent that the topic names in this parameter, by its own key. */
export const onlyAgent = <Name extends string>(parameter: Name): Permit<{ readonly [Key in Name]: string | number }> => ({
  hint: 'is for its agent alone',
  permits: (principal, values) => principal.agent !== undefined && principal.agent === values[parameter],
});

/** Only the user that the topic names in this parameter. */
export const onlyUser = <Name extends string>(parameter: Name): Permit<{ readonly [Key in Name]: string | number }> => ({
  hint: 'is for its user alone',
  permits: (principal, values) => isUser(principal, String(values[parameter])),
});

export const onlyRole = (role: string): Permit<object> => ({
  hint: `needs the role ${role}`,
  permits: (principal) => holdsRole(principal, role),
});
