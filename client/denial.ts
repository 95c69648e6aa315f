import type { Env } from './env.ts';
import { bearer, type Token } from './token.ts';

/** The status of a request with this token; 0 = no answer, or a server that is too busy (429, 5xx). Browsers hide the reason of a failed handshake; over HTTP the server says it. */
export async function httpStatus(api: string, token: Token, { fetch }: Pick<Env, 'fetch'>): Promise<number> {
  try {
    const { status } = await (fetch as typeof globalThis.fetch)(`${api}/api/push/tickets`, { method: 'POST', headers: bearer(token) });
    if (status > 428) return 0;
    // a ticket was used up by the handshake, and proves nothing here
    return status === 401 && typeof token === 'object' && token ? 200 : status;
  } catch {
    return 0;
  }
}
