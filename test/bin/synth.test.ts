/** `cdk synth` and `cdk deploy` run `bin/push.ts`: what it refuses cannot be deployed, whatever command is used. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { PROCESS_MS } from '../helpers/within.ts';

const IDENTITY = { AUTH_MODE: 'jwt', JWT_ISSUER: 'https://login.example', JWT_AUDIENCE: 'push' };
const NONE = { AUTH_MODE: '', JWT_ISSUER: '', JWT_AUDIENCE: '', ALLOW_ANONYMOUS: '' };

let folder: string | null = null;
afterEach(() => {
  if (folder !== null) rmSync(folder, { recursive: true, force: true });
});

interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly Properties: Record<string, unknown>;
}

/** Runs the app as the CDK does. */
function synth(environment: Record<string, string>, context: Record<string, string> = {}) {
  folder = mkdtempSync(join(tmpdir(), 'push-synth-'));
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'bin/push.ts'], {
    env: { ...process.env, ...NONE, CDK_OUTDIR: folder, CDK_CONTEXT_JSON: JSON.stringify(context), CDK_DEFAULT_REGION: '', ...environment },
    encoding: 'utf8',
    timeout: PROCESS_MS,
  });
  const file = readdirSync(folder).find((name) => name.endsWith('.template.json'));
  const resources: Resource[] = file
    ? Object.values((JSON.parse(readFileSync(join(folder, file), 'utf8')) as { Resources: Record<string, Resource> }).Resources)
    : [];
  return { status, stderr, file, ofType: (type: string) => resources.filter(({ Type }) => Type === type), folder };
}

describe('without identity', () => {
  test.each(['dev', 'prod'])('%s is refused, with the settings to choose from', { timeout: 60_000 }, (stage) => {
    const { status, stderr, file } = synth({}, { stage });

    expect([status, file]).toEqual([1, undefined]);
    for (const word of ['AUTH_MODE=jwt', 'ALLOW_ANONYMOUS=true', 'stage=local']) expect(stderr).toContain(word);
  });

  test('the default stage is refused too: it is dev', { timeout: 60_000 }, () => {
    expect(synth({}).status).toBe(1);
    expect(synth({ ALLOW_ANONYMOUS: 'true' })).toMatchObject({ status: 0, file: 'RealtimePush-dev.template.json' });
  });

  test('local is made', { timeout: 60_000 }, () => {
    expect(synth({}, { stage: 'local' })).toMatchObject({ status: 0, file: 'RealtimePush-local.template.json' });
  });
});

test('jwt without issuer and audience is refused', { timeout: 60_000 }, () => {
  const { status, stderr } = synth({ AUTH_MODE: 'jwt' });

  expect(status).toBe(1);
  for (const name of ['JWT_ISSUER', 'JWT_AUDIENCE']) expect(stderr).toContain(name);
});

test('an unknown stage is named', { timeout: 60_000 }, () => {
  const { status, stderr } = synth(IDENTITY, { stage: 'production' });

  expect([status, stderr]).toEqual([1, '-c stage: expected local, dev, prod, got "production"\n']);
});

test('prod keeps its data once it stood, and can be set back; dev leaves nothing behind', { timeout: 60_000 }, () => {
  const held = (stage: string) => {
    const { ofType } = synth(IDENTITY, { stage });
    const tables = ofType('AWS::DynamoDB::GlobalTable');
    return {
      policies: [...tables, ...ofType('AWS::S3::Bucket')].map(({ DeletionPolicy }) => DeletionPolicy).sort(),
      recoverable: tables.filter(({ Properties }) => JSON.stringify(Properties).includes('"PointInTimeRecoveryEnabled":true')).length,
      days: new Set(ofType('AWS::Logs::LogGroup').map(({ Properties }) => Properties['RetentionInDays'])),
    };
  };

  expect(held('prod')).toEqual({
    policies: ['Delete', 'Delete', 'RetainExceptOnCreate', 'RetainExceptOnCreate', 'RetainExceptOnCreate'],
    recoverable: 2,
    days: new Set([90]),
  });
  expect(held('dev')).toEqual({ policies: Array(5).fill('Delete'), recoverable: 0, days: new Set([14]) });
});

describe('a region', () => {
  const streams = { ...IDENTITY, APP_PUSH_MODE: 'both' };

  test('with function URLs has event streams', { timeout: 60_000 }, () => {
    expect(synth(streams, { region: 'ap-northeast-2' }).ofType('AWS::Lambda::Url')).toHaveLength(1);
  });

  test('without function URLs has none, which is said', { timeout: 60_000 }, () => {
    const { ofType, folder: out, status } = synth(streams, { region: 'eu-central-2' });

    expect([status, ofType('AWS::Lambda::Url')]).toEqual([0, []]);
    const said = readdirSync(out).map((name) => (name.endsWith('.json') ? readFileSync(join(out, name), 'utf8') : ''));
    expect(said.join('')).toContain('eu-central-2 has no function URLs');
  });
});

describe('an account with few concurrent executions', () => {
  const small = { ...IDENTITY, ACCOUNT_CONCURRENCY: '10' };

  test('gets queues that take the least', { timeout: 60_000 }, () => {
    const mappings = synth(small).ofType('AWS::Lambda::EventSourceMapping');

    expect(mappings.map(({ Properties }) => Properties['ScalingConfig'])).toEqual([{ MaximumConcurrency: 2 }, { MaximumConcurrency: 2 }]);
  });

  test('has no room for a hundred event streams, which is refused with the room there is', { timeout: 60_000 }, () => {
    const { status, stderr } = synth({ ...small, APP_PUSH_MODE: 'both' });

    expect(status).toBe(1);
    expect(stderr).toContain('SSE_MAX_STREAMS: expected at most half of ACCOUNT_CONCURRENCY, which is 5, got 100');
  });
});
