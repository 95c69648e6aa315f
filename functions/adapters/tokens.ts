/** Verifies JSON Web Tokens (`docs/protocol.md`, "Identity"). */
import { JwtVerifier } from 'aws-jwt-verify';
import { JwtExpiredError, KidNotFoundInJwksError } from 'aws-jwt-verify/error';
import { decomposeUnverifiedJwt } from 'aws-jwt-verify/jwt';
import { PushError, UnavailableError } from '../../core/errors.ts';
import { type Principal, TOKEN_GRACE_MS } from '../../core/identity.ts';
import type { Report } from '../../core/ports/report.ts';
import { environmentNow } from './clock.ts';
import type { identitySettings } from './env.ts';

/** Algorithms of key pairs; shared secrets and `none` are not accepted. */
const ALGORITHMS = new Set(['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'EdDSA']);

/** Keys are not fetched again this soon for a token that names an unknown one: anybody can make those up. */
const REFETCH_MS = 30_000;
const FETCH_TIMEOUT_MS = 3_000;
/** Roles and user lie in the connection's record, which every message pays for. */
const MAX_ROLES = 20;
const MAX_ROLE = 40;
const MAX_USER = 128;
type Jwks = Parameters<ReturnType<typeof verifierOf>['cacheJwks']>[0];

const verifierOf = (issuer: string, audience: string | null) =>
  JwtVerifier.create({ issuer, audience, graceSeconds: TOKEN_GRACE_MS / 1000 });

type TokenSettings = Extract<ReturnType<typeof identitySettings>, { mode: 'jwt' }>;

/** Verifies tokens. Throws `AUTHENTICATION_REQUIRED`, or UnavailableError if the keys cannot be had. */
export function tokenVerifier(
  { issuer, audience, jwksUri, userClaim, rolesClaim }: TokenSettings,
  report: Report,
): (token: string) => Promise<Principal> {
  const verifier = verifierOf(issuer, audience);
  let fetching: Promise<void> | null = null;
  let known = false;
  let triedAtMs = Number.NEGATIVE_INFINITY;

  const fetchKeys = async (): Promise<void> => {
    try {
      const uri =
        jwksUri ?? (await getJson<{ jwks_uri: string }>(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)).jwks_uri;
      const keys = await getJson<Jwks>(uri);
      // a malformed answer must not replace good keys
      if (!Array.isArray(keys.keys)) throw new Error(`${uri} answers no keys`);
      verifier.cacheJwks(keys);
      known = true;
    } catch (error) {
      report.error('the keys that tokens are signed with could not be fetched', error, { issuer });
      throw new UnavailableError('tokens cannot be verified at the moment; try again');
    } finally {
      triedAtMs = environmentNow();
      fetching = null;
    }
  };
  const keys = async (): Promise<void> => {
    fetching ??= fetchKeys();
    await fetching;
  };

  return async (token) => {
    checkAlgorithm(token);
    const read = (): Principal => principalOf(verifier.verifySync(token), userClaim, rolesClaim);
    if (!known) await keys();
    try {
      return read();
    } catch (error) {
      // keys rotate: an unknown one may be new
      if (!(error instanceof KidNotFoundInJwksError) || environmentNow() - triedAtMs < REFETCH_MS) throw refused(error);
    }
    await keys();
    try {
      return read();
    } catch (error) {
      throw refused(error);
    }
  };
}

/** Before any key is fetched: a token that can never be valid costs nothing. */
function checkAlgorithm(token: string): void {
  let algorithm: unknown;
  try {
    algorithm = decomposeUnverifiedJwt(token).header.alg;
  } catch (error) {
    throw refused(error);
  }
  if (typeof algorithm !== 'string' || !ALGORITHMS.has(algorithm))
    throw new PushError('AUTHENTICATION_REQUIRED', 'the token is not signed with a key pair');
}

/** The reason, as far as the token's holder may know. A text that the library cannot read is no token. */
function refused(error: unknown): unknown {
  if (error instanceof PushError) return error;
  return new PushError('AUTHENTICATION_REQUIRED', error instanceof JwtExpiredError ? 'the token has expired' : 'the token is not valid');
}

function principalOf(claims: Readonly<Record<string, unknown>>, userClaim: string, rolesClaim: string): Principal {
  const expiresAt = claims['exp'];
  if (expiresAt === undefined) throw new PushError('AUTHENTICATION_REQUIRED', 'the token never expires');
  const user = claims[userClaim];
  if ((typeof user !== 'string' && typeof user !== 'number') || user === '' || String(user).length > MAX_USER)
    throw new PushError('AUTHENTICATION_REQUIRED', `the token has no ${userClaim}`);
  const roles = claims[rolesClaim];
  const named = Array.isArray(roles) ? roles : typeof roles === 'string' ? roles.split(/[\s,]+/) : [];
  const some = named.filter((role): role is string => typeof role === 'string' && role !== '' && role.length <= MAX_ROLE);
  const issuedAt = claims['iat'];
  return {
    userId: String(user),
    roles: some.slice(0, MAX_ROLES),
    ...(typeof issuedAt === 'number' ? { issuedAtMs: issuedAt * 1000 } : {}),
    ...(typeof expiresAt === 'number' ? { expiresAtMs: expiresAt * 1000 } : {}),
  };
}

async function getJson<Value>(uri: string): Promise<Value> {
  const response = await fetch(uri, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${uri} answers ${response.status}`);
  return (await response.json()) as Value;
}
