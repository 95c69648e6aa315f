/** Messages that are too large for a frame come as a reference; their content is fetched before they are handed over. */
import type { Env } from './env.ts';
import { ClientError, errorOf } from './errors.ts';
import type { Wire } from './follower.ts';
import type { TokenSource } from './token.ts';

/** Tries, and the pause between them, in ms. */
const TRIES = 3;
const PAUSE_MS = 1_000;

/** Hands a message over, whole. Returns what the handler returns; a promise if the content must be fetched first. */
export const deliverWhole = (api: string, tokens: TokenSource, env: Env) => {
  const load = async (message: Wire, reference: string): Promise<Wire> => {
    for (let tried = 1; ; tried++) {
      try {
        const token = await tokens.get();
        const headers = typeof token === 'string' ? { headers: { authorization: `Bearer ${token}` } } : {};
        const response = await (env.fetch as typeof fetch)(api + reference, headers);
        if (!response.ok) throw new ClientError('REFERENCE', `${reference} answers ${response.status}`);
        return { ...((await response.json()) as Wire), position: message['position'] };
      } catch (error) {
        if (tried === TRIES)
          throw new ClientError('REFERENCE', `a large message could not be fetched: ${errorOf(error).message}`, { cause: error });
        await new Promise<void>((done) => env.after(PAUSE_MS * tried, done));
      }
    }
  };
  return (message: Wire, deliver: (message: Wire) => unknown, failed: (error: unknown) => void): unknown => {
    const { ref } = message;
    if (typeof ref !== 'string' || !env.fetch) return deliver(message);
    return load(message, ref).then(deliver, (error) => {
      failed(error);
      // the reference itself is still of use
      return deliver(message);
    });
  };
};
