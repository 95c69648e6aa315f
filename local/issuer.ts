/** The local run's own token issuer, so that `AUTH_MODE=jwt` works without an external one. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { parseJson } from '../core/base/validation.ts';
import { PushError } from '../core/errors.ts';
import { SETTING } from '../core/names.ts';
import type { Resource } from './base/template.ts';
import { readBody } from './resources/http-api.ts';

export const LOCAL_ISSUER = 'https://issuer.realtime-push.local';
export const LOCAL_AUDIENCE = 'realtime-push';
/** Placeholder in the settings. The local run replaces it with the address of its keys. */
export const LOCAL_JWKS_URI = `${LOCAL_ISSUER}/jwks.json`;
/** Path of token requests on the front door. */
export const TOKEN_PATH = '/local/token';

const KEY_ID = 'local';
const DEFAULT_SECONDS = 3_600;
/** Ten years. */
const MAX_SECONDS = 10 * 365 * 86_400;

export interface TokenRequest {
  readonly user: string;
  readonly roles?: readonly string[] | undefined;
  /** Lifetime, an hour by default. A negative one gives an expired token. */
  readonly seconds?: number | undefined;
}

export interface LocalIssuer {
  /** The public key, as a JSON Web Key Set. */
  readonly keys: object;
  mint(request: TokenRequest): Promise<string>;
  serve(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** The audience and claims that the deployment's settings expect. */
export interface IssuerOptions {
  readonly audience: string;
  readonly userClaim: string;
  readonly rolesClaim: string;
}

/** @param nowMs the deployment's time */
export async function localIssuer({ audience, userClaim, rolesClaim }: IssuerOptions, nowMs: () => number): Promise<LocalIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: KEY_ID, alg: 'ES256', use: 'sig' }] };
  const mint = ({ user, roles = [], seconds = DEFAULT_SECONDS }: TokenRequest): Promise<string> => {
    const now = Math.floor(nowMs() / 1000);
    return new SignJWT({ [userClaim]: user, [rolesClaim]: roles })
      .setProtectedHeader({ alg: 'ES256', kid: KEY_ID })
      .setIssuer(LOCAL_ISSUER)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + seconds)
      .sign(privateKey);
  };
  return {
    keys,
    mint,
    async serve(request, response) {
      const wanted = request.method === 'POST' && isFromHere(request) ? readRequest(await readBody(request)) : null;
      const body = JSON.stringify(
        wanted
          ? { token: await mint(wanted) }
          : { error_code: 'INVALID_MESSAGE_FORMAT', error_message: 'expected POST {"user","roles","seconds"}', details: {} },
      );
      response.writeHead(wanted ? 200 : 400, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(body);
    },
  };
}

/** Guards against DNS rebinding: a foreign page whose host name resolves to this machine gets no token. IP addresses are allowed, since rebinding needs a name. */
const isFromHere = ({ headers }: IncomingMessage): boolean => /^(localhost|\d+(\.\d+){3}|\[[0-9a-f:]+\])(:\d+)?$/i.test(headers.host ?? '');

function readRequest(body: Buffer | null): TokenRequest | null {
  try {
    const wanted: unknown = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(body ?? new Uint8Array()));
    if (typeof wanted !== 'object' || wanted === null) return null;
    const { user, roles, seconds } = wanted as Record<string, unknown>;
    if (typeof user !== 'string' || user === '') return null;
    if (seconds !== undefined && seconds !== null && !(typeof seconds === 'number' && Math.abs(seconds) <= MAX_SECONDS)) return null;
    const named = [roles ?? []].flat();
    if (!named.every((role) => typeof role === 'string')) return null;
    return { user, roles: named, seconds: seconds ?? undefined };
  } catch (error) {
    // what is no UTF-8 is a TypeError, what is no JSON an error of ours
    if (!(error instanceof TypeError || error instanceof PushError)) throw error;
    return null;
  }
}

/** The local issuer; `null` if no function accepts its tokens. */
export async function issuerFor(functions: readonly Resource[], nowMs: () => number): Promise<LocalIssuer | null> {
  for (const { properties } of functions) {
    const { Variables = {} } = (properties['Environment'] ?? {}) as { Variables?: Record<string, unknown> };
    if (Variables[SETTING.jwtIssuer] !== LOCAL_ISSUER) continue;
    return localIssuer(
      {
        audience: String(Variables[SETTING.jwtAudience]),
        userClaim: String(Variables[SETTING.jwtUserClaim]),
        rolesClaim: String(Variables[SETTING.jwtRolesClaim]),
      },
      nowMs,
    );
  }
  return null;
}
