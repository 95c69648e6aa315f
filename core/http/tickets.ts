/** Tickets over REST (`docs/protocol.md`, "Tickets"). */
import * as v from 'valibot';
import { jsonObject, optional, parseJson } from '../base/validation.ts';
import type { Channel } from '../channels/channel.ts';
import type { Channels } from '../channels/channels.ts';
import { PushError } from '../errors.ts';
import type { Identity, Principal } from '../identity.ts';
import { SOCKET_PATH } from '../names.ts';
import type { Ports } from '../ports/ports.ts';
import { TICKET_SECONDS } from '../ports/tickets.ts';

export interface TicketPorts extends Pick<Ports, 'tickets' | 'clock' | 'newId'> {
  readonly channels: Channels;
  readonly identity: Identity;
}

/** The paths that a ticket may be for. */
const ticketPaths = (channels: readonly Channel[]): string[] => [SOCKET_PATH, ...channels.flatMap(({ http }) => http?.stream ?? [])];

export const ticketRequest = (channels: readonly Channel[]) =>
  v.pipe(jsonObject, v.object({ path: optional(v.picklist(ticketPaths(channels))) }));

/** A ticket for the caller: for one path, or for whichever it is first used at. Without identity it opens what is open anyway. */
export async function issueTicket(body: string, principal: Principal | null, ports: TicketPorts): Promise<object> {
  const { tickets, clock, channels, identity, newId } = ports;
  const given = v.safeParse(ticketRequest(channels.all), body === '' ? {} : parseJson(body));
  if (!given.success)
    throw new PushError('INVALID_MESSAGE_FORMAT', `path: expected one of ${ticketPaths(channels.all).join(', ')}, or none`, {
      path: 'path',
    });
  const path = given.output.path ?? null;
  const ticket = newId();
  if (principal && identity.required) await tickets.issue(ticket, principal, path, clock.now());
  return { ticket, expires_in: TICKET_SECONDS };
}
