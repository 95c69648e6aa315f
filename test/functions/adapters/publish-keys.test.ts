import { GetSecretValueCommand, ResourceNotFoundException, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, test } from 'vitest';
import { publishKeys } from '../../../functions/adapters/publish-keys.ts';

const secrets = mockClient(SecretsManagerClient);
const none = new ResourceNotFoundException({ message: 'no such version', $metadata: {} });
let nowMs = 0;
beforeEach(() => {
  secrets.reset();
  nowMs = 0;
  secrets.on(GetSecretValueCommand, { VersionStage: 'AWSCURRENT' }).resolves({ SecretString: 'new' });
  secrets.on(GetSecretValueCommand, { VersionStage: 'AWSPREVIOUS' }).resolves({ SecretString: 'old' });
});
const keys = () => publishKeys('secret', new SecretsManagerClient({}), () => nowMs);

describe('publish keys', () => {
  test('are valid in their current and previous version only', async () => {
    const known = keys();

    expect(await Promise.all(['new', 'old', '', 'newer'].map((key) => known.isValid(key)))).toEqual([true, true, false, false]);
  });

  test('are read once every five minutes', async () => {
    const known = keys();
    await known.isValid('new');
    await known.isValid('new');
    nowMs = 5 * 60_000 + 1;
    await known.isValid('new');

    expect(secrets.calls()).toHaveLength(4);
  });

  test('of a secret that was never rotated have only the current version', async () => {
    secrets.on(GetSecretValueCommand, { VersionStage: 'AWSPREVIOUS' }).rejects(none);

    expect(await keys().isValid('new')).toBe(true);
  });

  test('that cannot be read make the check throw, and are read again by the next check', async () => {
    secrets.on(GetSecretValueCommand, { VersionStage: 'AWSCURRENT' }).rejectsOnce(new Error('outage')).resolves({ SecretString: 'new' });
    const known = keys();

    await expect(known.isValid('new')).rejects.toThrow('outage');
    expect(await known.isValid('new')).toBe(true);
  });
});
