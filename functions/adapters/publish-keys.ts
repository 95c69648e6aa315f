import { timingSafeEqual } from 'node:crypto';
import { GetSecretValueCommand, ResourceNotFoundException, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { EVERY_SOURCE, readRing } from '../../core/events/key-ring.ts';
import { ENV } from '../../core/names.ts';
import type { KeyHolder, PublishKeys } from '../../core/ports/events.ts';
import { environmentNow, inEnvironmentTime } from './clock.ts';
import { digest } from './digest.ts';
import { requireEnv } from './env.ts';

/** A revoked key is refused after this long at most. */
const KEPT_MS = 60_000;
/** A key that is not known may be new: the keys are read again for it, but not more often than this. */
const REREAD_MS = 5_000;

interface ValidKey extends KeyHolder {
  readonly digest: Buffer;
}

/**
 * The keys that may publish. A new deployment has one plain key for every source; its version before stays valid too. What
 * `npm run keys` writes is a ring, and valid as it stands.
 */
export function publishKeys(
  secretId = requireEnv(ENV.publishKeySecret),
  secrets = inEnvironmentTime(new SecretsManagerClient({})),
  now: () => number = environmentNow,
): PublishKeys {
  let known: { keys: Promise<ValidKey[]>; atMs: number } | null = null;
  const read = async (VersionStage: string): Promise<string | null> => {
    try {
      return (await secrets.send(new GetSecretValueCommand({ SecretId: secretId, VersionStage }))).SecretString ?? null;
    } catch (error) {
      // a secret that was never rotated has no previous version
      if (VersionStage === 'AWSPREVIOUS' && error instanceof ResourceNotFoundException) return null;
      throw error;
    }
  };
  const readAll = async (): Promise<ValidKey[]> => {
    const current = (await read('AWSCURRENT')) ?? '';
    const ring = readRing(current);
    if (ring !== null) return ring.map(({ source, agent = null, sha256 }) => ({ source, agent, digest: Buffer.from(sha256, 'hex') }));
    const before = await read('AWSPREVIOUS');
    // a ring may have been there before: then the plain key alone is meant
    const plain = [current, before ?? ''].filter((text) => text !== '' && readRing(text) === null);
    return plain.map((key) => ({ source: EVERY_SOURCE, agent: null, digest: digest(key) }));
  };
  const keys = (keptMs: number): Promise<ValidKey[]> => {
    if (known === null || now() - known.atMs > keptMs) {
      const reading = readAll();
      known = { keys: reading, atMs: now() };
      reading.catch(() => {
        known = null;
      });
    }
    return known.keys;
  };
  return {
    async holderOf(key) {
      const given = digest(key);
      const find = async (keptMs: number) => (await keys(keptMs)).find((valid) => timingSafeEqual(valid.digest, given));
      return (await find(KEPT_MS)) ?? (await find(REREAD_MS)) ?? null;
    },
  };
}
