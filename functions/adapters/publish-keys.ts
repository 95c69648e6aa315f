import { createHash, timingSafeEqual } from 'node:crypto';
import { GetSecretValueCommand, ResourceNotFoundException, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ENV } from '../../core/names.ts';
import type { PublishKeys } from '../../core/ports/events.ts';
import { environmentNow, inEnvironmentTime } from './clock.ts';
import { requireEnv } from './env.ts';

/** A new key is known after this long; the one it replaced stays valid as the previous version. */
const KEPT_MS = 5 * 60_000;

/** The keys that may publish: the secret's current and previous version, so that both are valid during a rotation. */
export function publishKeys(
  secretId = requireEnv(ENV.publishKeySecret),
  secrets = inEnvironmentTime(new SecretsManagerClient({})),
  now: () => number = environmentNow,
): PublishKeys {
  let known: { keys: Promise<Buffer[]>; atMs: number } | null = null;
  const read = async (VersionStage: string): Promise<Buffer[]> => {
    try {
      const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: secretId, VersionStage }));
      return SecretString ? [digest(SecretString)] : [];
    } catch (error) {
      // a secret that was never rotated has no previous version
      if (VersionStage === 'AWSPREVIOUS' && error instanceof ResourceNotFoundException) return [];
      throw error;
    }
  };
  const keys = (): Promise<Buffer[]> => {
    if (known === null || now() - known.atMs > KEPT_MS) {
      const reading = Promise.all([read('AWSCURRENT'), read('AWSPREVIOUS')]).then((versions) => versions.flat());
      known = { keys: reading, atMs: now() };
      reading.catch(() => {
        known = null;
      });
    }
    return known.keys;
  };
  return {
    async isValid(key) {
      const given = digest(key);
      return (await keys()).some((valid) => timingSafeEqual(valid, given));
    },
  };
}

/** Of equal length for any key, so that the comparison's time reveals nothing. */
const digest = (key: string): Buffer => createHash('sha256').update(key).digest();
