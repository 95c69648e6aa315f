/** Tokens: which are valid, and how often the issuer's keys are fetched. */
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { UnavailableError } from '../../../core/errors.ts';
import type { Report } from '../../../core/ports/report.ts';
import { identitySettings } from '../../../functions/adapters/env.ts';
import { tokenVerifier } from '../../../functions/adapters/tokens.ts';
import { memoryReport } from '../../helpers/memory/report.ts';

/** Made anew, with the settings of the environment. */
const identity = (report: Report = memoryReport()) => {
  const settings = identitySettings();
  if (settings.mode === 'none') throw new Error('no identity is configured');
  return { verify: tokenVerifier(settings, report) };
};

const ISSUER = 'https://login.example';
let fetched: string[];
let keys: Record<string, unknown>[];
type Signer = GenerateKeyPairResult['privateKey'];
let signers: Map<string, Signer>;

beforeEach(async () => {
  fetched = [];
  keys = [];
  signers = new Map();
  await addKey('first');
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.stubGlobal('fetch', async (url: string) => {
    fetched.push(url);
    const body = url.endsWith('openid-configuration') ? { jwks_uri: `${ISSUER}/keys` } : { keys };
    return new Response(JSON.stringify(body));
  });
  for (const [name, value] of Object.entries({
    AUTH_MODE: 'jwt',
    JWT_ISSUER: ISSUER,
    JWT_AUDIENCE: 'push',
    JWT_JWKS_URI: '',
    JWT_USER_CLAIM: 'uid',
    JWT_ROLES_CLAIM: 'groups',
  }))
    vi.stubEnv(name, value);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

async function addKey(kid: string, alg = 'RS256'): Promise<void> {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  keys.push({ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' });
  signers.set(kid, privateKey);
}
const sign = (over: Record<string, unknown> = {}, kid = 'first', alg = 'RS256'): Promise<string> =>
  new SignJWT({ iss: ISSUER, aud: 'push', uid: 100, groups: 'ops:read ops:control', exp: Math.floor(Date.now() / 1000) + 600, ...over })
    .setProtectedHeader({ alg, kid })
    .sign(signers.get(kid) as Signer);
const expiresAtMs = expect.any(Number) as number;
const refusal = { code: 'AUTHENTICATION_REQUIRED' };

test('a valid token gives the user and the roles from the claims that the settings name', async () => {
  const { verify } = identity();

  expect(await verify(await sign())).toEqual({ userId: '100', roles: ['ops:read', 'ops:control'], expiresAtMs });
  expect(await verify(await sign({ uid: 'u', groups: ['a', 7, ''] }))).toEqual({ userId: 'u', roles: ['a'], expiresAtMs });
  expect(await verify(await sign({ groups: undefined }))).toEqual({ userId: '100', roles: [], expiresAtMs });
});

test('keys are fetched through the discovery document once, even by concurrent checks', async () => {
  const { verify } = identity();
  const token = await sign();

  await Promise.all([verify(token), verify(token), verify(token)]);
  await verify(token);

  expect(fetched).toEqual([`${ISSUER}/.well-known/openid-configuration`, `${ISSUER}/keys`]);
});

test('a malformed token or one without a key-pair algorithm is refused without a fetch', async () => {
  const { verify } = identity();
  const shared = await new SignJWT({ iss: ISSUER }).setProtectedHeader({ alg: 'HS256', kid: 'first' }).sign(Buffer.alloc(32));

  for (const token of [
    shared,
    'a.b.c',
    '',
    `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{}').toString('base64url')}.`,
  ])
    await expect(verify(token)).rejects.toMatchObject(refusal);

  expect(fetched).toEqual([]);
});

test.each([
  ['another issuer', { iss: 'https://evil.example' }],
  ['another audience', { aud: 'shop' }],
  ['no audience', { aud: undefined }],
  ['an expiry in the past', { exp: 1 }],
  ['no expiry', { exp: undefined }],
  ['a not-before time in the future', { nbf: Math.floor(Date.now() / 1000) + 3_600 }],
  ['no user', { uid: undefined }],
  ['an empty user', { uid: '' }],
  ['a user that is an object', { uid: { name: 'me' } }],
])('a token with %s is refused', async (_, over) => {
  await expect(identity().verify(await sign(over))).rejects.toMatchObject(refusal);
});

test('an unknown key is fetched again, at most once in 30 s', async () => {
  const { verify } = identity();
  await verify(await sign());
  await addKey('second', 'ES256');
  const rotated = await sign({}, 'second', 'ES256');
  await expect(verify(rotated)).rejects.toMatchObject(refusal);
  expect(fetched).toHaveLength(2);

  vi.setSystemTime(Date.now() + 31_000);
  expect(await verify(rotated)).toMatchObject({ userId: '100' });

  expect(fetched).toHaveLength(4);
});

test('keys that cannot be fetched throw UnavailableError, and are fetched again by the next check', async () => {
  const answer = globalThis.fetch;
  const { verify } = identity();
  const token = await sign();
  vi.stubGlobal('fetch', async () => new Response('down', { status: 500 }));
  await expect(verify(token)).rejects.toBeInstanceOf(UnavailableError);
  vi.stubGlobal('fetch', answer);

  expect(await verify(token)).toMatchObject({ userId: '100' });
});
