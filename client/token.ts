/** Tokens: asked for at each attempt, one request at a time, and never waited for too long. */
import type { Env } from './env.ts';
import { ClientError, errorOf } from './errors.ts';

/** A token, or a ticket that stands in for one (`POST /api/push/tickets`). */
export type Token = string | { readonly ticket: string } | null | undefined;

/** A token, or a function that gets a fresh one each time. `refused`: the server took the last one no more. */
export type TokenOption = Token | ((asked: { readonly refused: boolean }) => Token | Promise<Token>);

/** The header that carries a token; a ticket has none. */
export const bearer = (token: Token): Record<string, string> => (typeof token === 'string' ? { authorization: `Bearer ${token}` } : {});

export interface TokenSource {
  /** A new one can be had. */
  readonly renews: boolean;
  /** Rejects with a ClientError. */
  get(refused?: boolean): Promise<Token>;
}

/** A function that has not answered by then has failed, in ms. */
const TOKEN_MS = 10_000;

export function tokenSource(option: TokenOption, env: Pick<Env, 'after'>): TokenSource {
  /** By whether the last one was refused: that must reach the function. */
  const asking = new Map<boolean, Promise<Token>>();
  const ask = (refused: boolean): Promise<Token> =>
    new Promise<Token>((resolve, reject) => {
      const failed = (cause: unknown): void => reject(new ClientError('TOKEN', `token function: ${errorOf(cause).message}`, { cause }));
      const cancel = env.after(TOKEN_MS, () => failed(`no answer within ${TOKEN_MS / 1000} s`));
      const asked = async (): Promise<void> => {
        const token = typeof option === 'function' ? await option({ refused }) : option;
        if (token != null && typeof token !== 'string' && typeof token.ticket !== 'string')
          throw new TypeError('expected a token, or { ticket }');
        resolve(token);
      };
      asked().catch(failed).finally(cancel);
    });
  return {
    renews: typeof option === 'function',
    get(refused = false) {
      const there = asking.get(refused) ?? ask(refused).finally(() => asking.delete(refused));
      asking.set(refused, there);
      return there;
    },
  };
}
