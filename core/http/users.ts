/** What is done about users over REST (`docs/protocol.md`, "Disconnecting a user"). */
import * as v from 'valibot';
import { jsonObject, optional, parseJson } from '../base/validation.ts';
import { disconnectUser } from '../connections/disconnect-user.ts';
import { PushError } from '../errors.ts';
import type { Identity } from '../identity.ts';
import type { Ports } from '../ports/ports.ts';

export interface UserPorts extends Pick<Ports, 'revocations' | 'clients' | 'jobs' | 'clock'> {
  readonly identity: Identity;
}

/** As long as the user of a token may be. */
const MAX_USER = 128;
const MAX_REASON = 200;
const DEFAULT_REASON = 'the user was disconnected';

export const disconnectRequest = v.pipe(
  jsonObject,
  v.object({ reason: optional(v.pipe(v.string(), v.nonEmpty(), v.maxLength(MAX_REASON)), DEFAULT_REASON) }),
);

export async function serveDisconnect(userId: string, body: string, ports: UserPorts): Promise<object> {
  if (!ports.identity.required) throw new PushError('NOT_FOUND', 'connections belong to no user here: AUTH_MODE is none');
  if (userId.length > MAX_USER) throw new PushError('INVALID_MESSAGE_FORMAT', `the user's id has at most ${MAX_USER} characters`);
  const given = v.safeParse(disconnectRequest, body === '' ? {} : parseJson(body));
  if (!given.success) throw new PushError('INVALID_MESSAGE_FORMAT', `expected {"reason": text}, of 1 to ${MAX_REASON} characters`);
  return { user: userId, connections: await disconnectUser(userId, given.output.reason, ports) };
}
