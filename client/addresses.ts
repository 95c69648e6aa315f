/** The addresses of a deployment. */
import { ClientError } from './errors.ts';

/** One address behind a front door; without it, each API has its own. */
export type Address = string | { readonly socket: string; readonly api?: string; readonly streams?: string };

export interface Addresses {
  readonly socket: string;
  readonly api: string;
  readonly streams: string;
}

/** `http(s)://host`, `ws(s)://host/ws`, or the addresses that `cdk deploy` prints. Throws if it is none. */
export function addressesOf(given: Address): Addresses {
  const { socket, api, streams } = typeof given === 'string' ? { socket: given, api: given, streams: given } : given;
  const http = (text: string): string => baseOf(text).replace(/^ws/, 'http');
  return {
    socket: `${baseOf(socket).replace(/^http/, 'ws')}/ws`,
    api: http(api ?? socket),
    streams: http(streams ?? api ?? socket),
  };
}

function baseOf(text: string): string {
  const [, host, path = ''] = /^((?:https?|wss?):\/\/[^/?#\s]+)([^?#\s]*)/.exec(text) ?? [];
  if (!host) throw new ClientError('BAD_URL', `url: expected http(s)://… or ws(s)://…, got ${JSON.stringify(text)}`, { fatal: true });
  return host + path.replace(/(\/ws)?\/*$/, '');
}
