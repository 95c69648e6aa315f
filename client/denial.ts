import type { Env } from './env.ts';
import { bearer, type Token } from './token.ts';

/** True if the server refuses this token. Browsers hide the reason of a failed handshake; over HTTP the server says it. */
export async function isDenied(api: string, token: Token, { fetch }: Pick<Env, 'fetch'>): Promise<boolean> {
  // a ticket was used up by the handshake
  if (!fetch || (typeof token === 'object' && token)) return false;
  try {
    return (await fetch(`${api}/api/push/tickets`, { method: 'POST', headers: bearer(token) })).status === 401;
  } catch {
    // away for HTTP too: the retry that is planned will find out
    return false;
  }
}
