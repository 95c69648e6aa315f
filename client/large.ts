/** Messages that are too large for a frame come as a reference; their content is fetched before they are handed over. */
import type { Env } from './env.ts';
import { ClientError, errorOf } from './errors.ts';
import type { Wire } from './follower.ts';
import { bearer, type TokenSource } from './token.ts';

/** A download that takes longer is given up, in ms. */
const DOWNLOAD_MS = 20_000;

/** Hands a message over, whole. Returns what the handler returns; a promise if the content must be fetched first. */
export const deliverWhole = (api: string, tokens: TokenSource, env: Env) => {
  const load = async (message: Wire): Promise<Wire> => {
    const token = await tokens.get();
    const abort = new AbortController();
    const cancel = env.after(DOWNLOAD_MS, () => abort.abort());
    const response = await (env.fetch as typeof fetch)(api + String(message['ref']), { headers: bearer(token), signal: abort.signal });
    const whole = (await response.json()) as Wire;
    cancel();
    if (!response.ok) throw new Error(`${response.status}`);
    return { ...whole, position: message['position'] };
  };
  return (message: Wire, deliver: (message: Wire) => unknown, failed: (error: unknown) => void): unknown =>
    typeof message['ref'] === 'string' && env.fetch
      ? load(message)
          .catch((cause: unknown) => {
            failed(new ClientError('REFERENCE', `large message: ${errorOf(cause).message}`, { cause }));
            // the reference itself is still of use
            return message;
          })
          .then(deliver)
      : deliver(message);
};
