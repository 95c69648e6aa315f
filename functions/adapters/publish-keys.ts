import { createHash, timingSafeEqual } from 'node:crypto';
import { GetSecretValueCommand, ResourceNotFoundException, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ENV } from '../../core/names.ts';
import { requireEnv } from './env.ts';

const client = new SecretsManagerClient({});

/** A key that was rotated away stays valid as the previous one; a new one is known within so long. */
const KEPT_MS = 5 * 60_000;

export interface PublishKeys {
  isValid(key: string): Promise<boolean>;
}

/** The keys that may publish: the secret's current and its previous version, so that two are valid while one is rotated. */
export function publishKeys(secretId = requireEnv(ENV.publishKeySecret), secrets = client, now: () => number = Date.now): PublishKeys {
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

/** Of equal length whatever came, so that the comparison tells nothing. */
const digest = (key: string): Buffer => createHash('sha256').update(key).digest();
