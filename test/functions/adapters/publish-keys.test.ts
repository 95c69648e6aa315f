import { createHash } from 'node:crypto';
import { GetSecretValueCommand, ResourceNotFoundException, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, test } from 'vitest';
import { formatRing } from '../../../core/events/key-ring.ts';
import { publishKeys } from '../../../functions/adapters/publish-keys.ts';

const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');

const secrets = mockClient(SecretsManagerClient);
const none = new ResourceNotFoundException({ message: 'no such version', $metadata: {} });
let nowMs = 0;
beforeEach(() => {
  secrets.reset();
  nowMs = 0;
  secrets.on(GetSecretValueCommand, { VersionStage: 'AWSCURRENT' }).resolves({ SecretString: 'new' });
  secrets.on(GetSecretValueCommand, { VersionStage: 'AWSPREVIOUS' }).resolves({ SecretString: 'old' });
});
const keys = () => {
  const known = publishKeys('secret', new SecretsManagerClient({}), () => nowMs);
  return { ...known, sourceOf: async (key: string) => (await known.holderOf(key))?.source ?? null };
};

describe('publish keys', () => {
  test('are valid in their current and previous version only', async () => {
    const known = keys();

    expect(await Promise.all(['new', 'old', '', 'newer'].map((key) => known.sourceOf(key)))).toEqual(['*', '*', null, null]);
  });

  test('are read once a minute', async () => {
    const known = keys();
    await known.sourceOf('new');
    await known.sourceOf('new');
    nowMs = 60_001;
    await known.sourceOf('new');

    expect(secrets.calls()).toHaveLength(4);
  });

  test('of a secret that was never rotated have only the current version', async () => {
    secrets.on(GetSecretValueCommand, { VersionStage: 'AWSPREVIOUS' }).rejects(none);

    expect(await keys().sourceOf('new')).toBe('*');
  });

  test('that cannot be read make the check throw, and are read again by the next check', async () => {
    secrets.on(GetSecretValueCommand, { VersionStage: 'AWSCURRENT' }).rejectsOnce(new Error('outage')).resolves({ SecretString: 'new' });
    const known = keys();

    await expect(known.sourceOf('new')).rejects.toThrow('outage');
    expect(await known.sourceOf('new')).toBe('*');
  });

  test('of a ring are those of its current version, each with its source', async () => {
    const ring = formatRing([{ source: 'market.price', sha256: sha256('mine'), made: '' }]);
    secrets.on(GetSecretValueCommand, { VersionStage: 'AWSCURRENT' }).resolves({ SecretString: ring });
    const known = keys();

    expect(await Promise.all(['mine', 'old', ring].map((key) => known.sourceOf(key)))).toEqual(['market.price', null, null]);
  });

  test('plain again after a ring are not what that held', async () => {
    const ring = formatRing([{ source: '*', sha256: sha256('mine'), made: '' }]);
    secrets.on(GetSecretValueCommand, { VersionStage: 'AWSPREVIOUS' }).resolves({ SecretString: ring });
    const known = keys();

    expect(await Promise.all(['new', 'mine', ring].map((key) => known.sourceOf(key)))).toEqual(['*', null, null]);
  });

  test('are read again for one that is not known, but not for each', async () => {
    const known = keys();
    await known.sourceOf('new');
    for (nowMs = 0; nowMs < 5_000; nowMs += 100) await known.sourceOf('wrong');
    expect(secrets.calls()).toHaveLength(2);
    secrets.on(GetSecretValueCommand, { VersionStage: 'AWSCURRENT' }).resolves({ SecretString: 'newer' });
    nowMs = 5_001;

    expect(await known.sourceOf('newer')).toBe('*');
    expect(secrets.calls()).toHaveLength(4);
  });
});
