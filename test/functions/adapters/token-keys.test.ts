/** Tokens: the algorithms that are accepted, when keys are fetched again, and how much of a token is kept. */
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
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
const KEYS = `${ISSUER}/jwks.json`;
let fetched: string[];
let keys: Record<string, unknown>[];
let signers: Map<string, GenerateKeyPairResult['privateKey']>;

beforeEach(() => {
  fetched = [];
  keys = [];
  signers = new Map();
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.stubGlobal('fetch', async (url: string) => {
    fetched.push(url);
    return new Response(JSON.stringify({ keys }));
  });
  for (const [name, value] of Object.entries({
    AUTH_MODE: 'jwt',
    JWT_ISSUER: ISSUER,
    JWT_AUDIENCE: 'none',
    JWT_JWKS_URI: KEYS,
    JWT_USER_CLAIM: 'sub',
    JWT_ROLES_CLAIM: 'roles',
  }))
    vi.stubEnv(name, value);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});
async function addKey(alg: string): Promise<void> {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  keys.push({ ...(await exportJWK(publicKey)), kid: alg, alg, use: 'sig' });
  signers.set(alg, privateKey);
}
const sign = async (alg: string, claims: Record<string, unknown> = {}): Promise<string> =>
  new SignJWT({ iss: ISSUER, sub: 'me', exp: Math.floor(Date.now() / 1000) + 3_600, ...claims })
    .setProtectedHeader({ alg, kid: alg })
    .sign(signers.get(alg) ?? new Uint8Array());

test.each(['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])('a token that is signed with %s is accepted', async (alg) => {
  await addKey(alg);

  expect(await identity().verify(await sign(alg))).toEqual({ userId: 'me', roles: [], expiresAtMs: expect.any(Number) });
  expect(fetched).toEqual([KEYS]);
});

test('a token that is signed with PS256 is refused before any key is fetched', async () => {
  await addKey('PS256');

  await expect(identity().verify(await sign('PS256'))).rejects.toMatchObject({
    code: 'AUTHENTICATION_REQUIRED',
    message: 'the token is not signed with a key pair',
  });

  expect(fetched).toEqual([]);
});

describe('keys', () => {
  test('are fetched again for an unknown one half a minute after the last time, and not sooner', async () => {
    await addKey('RS256');
    const { verify } = identity();
    const startMs = Date.now();
    await verify(await sign('RS256'));
    await addKey('ES256');
    const rotated = await sign('ES256');

    vi.setSystemTime(startMs + 29_999);
    await expect(verify(rotated)).rejects.toMatchObject({ message: 'the token is not valid' });
    expect(fetched).toHaveLength(1);
    vi.setSystemTime(startMs + 30_000);

    expect(await verify(rotated)).toMatchObject({ userId: 'me' });
    expect(fetched).toHaveLength(2);
  });

  test('that were fetched again and still lack the one that is named are not fetched for the next half a minute', async () => {
    await addKey('RS256');
    const { verify } = identity();
    const startMs = Date.now();
    await verify(await sign('RS256'));
    await addKey('ES256');
    const unknown = await sign('ES256');
    keys.pop();
    vi.setSystemTime(startMs + 30_000);
    await expect(verify(unknown)).rejects.toMatchObject({ code: 'AUTHENTICATION_REQUIRED' });

    vi.setSystemTime(startMs + 59_999);
    await expect(verify(unknown)).rejects.toMatchObject({ code: 'AUTHENTICATION_REQUIRED' });
    expect(fetched).toHaveLength(2);
    vi.setSystemTime(startMs + 60_000);
    await expect(verify(unknown)).rejects.toMatchObject({ code: 'AUTHENTICATION_REQUIRED' });

    expect(fetched).toHaveLength(3);
  });

  test('that are known stay good if the issuer answers something else', async () => {
    await addKey('RS256');
    const report = memoryReport();
    const { verify } = identity(report);
    const good = await sign('RS256');
    await verify(good);
    await addKey('ES256');
    const rotated = await sign('ES256');
    vi.setSystemTime(Date.now() + 31_000);
    vi.stubGlobal('fetch', async () => new Response('{"keys":"none"}'));

    await expect(verify(rotated)).rejects.toMatchObject({ message: 'tokens cannot be verified at the moment; try again' });

    expect(await verify(good)).toMatchObject({ userId: 'me' });
    expect(report.lines).toEqual([`the keys that tokens are signed with could not be fetched: Error: ${KEYS} answers no keys`]);
  });
});

test('a token that has expired says so, five seconds after its time', async () => {
  await addKey('RS256');
  const { verify } = identity();
  const startMs = Math.floor(Date.now() / 1000) * 1000;
  const token = await sign('RS256', { exp: startMs / 1000 + 60 });

  vi.setSystemTime(startMs + 64_000);
  expect(await verify(token)).toMatchObject({ userId: 'me' });
  vi.setSystemTime(startMs + 66_000);

  await expect(verify(token)).rejects.toMatchObject({ message: 'the token has expired' });
});

describe('of a token are kept', () => {
  beforeEach(() => addKey('ES256'));
  const rolesOf = async (roles: unknown) => (await identity().verify(await sign('ES256', { roles }))).roles;

  test('the first 20 roles, each of at most 40 characters', async () => {
    const many = Array.from({ length: 25 }, (_, index) => `role${index}`);

    expect(await rolesOf(['x'.repeat(41), 'y'.repeat(40), ...many])).toEqual(['y'.repeat(40), ...many.slice(0, 19)]);
  });

  test.each([
    ['a b', ['a', 'b']],
    ['a,b , c', ['a', 'b', 'c']],
    ['', []],
    [[1, 'a', null, ''], ['a']],
    [{ a: 1 }, []],
  ])('the roles of %j', async (roles, expected) => {
    expect(await rolesOf(roles)).toEqual(expected);
  });

  test('a user of at most 128 characters', async () => {
    const { verify } = identity();

    expect(await verify(await sign('ES256', { sub: 'x'.repeat(128) }))).toMatchObject({ userId: 'x'.repeat(128) });
    await expect(verify(await sign('ES256', { sub: 'x'.repeat(129) }))).rejects.toMatchObject({ message: 'the token has no sub' });
  });
});
