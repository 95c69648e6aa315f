/** `cdk synth` and `cdk deploy` run `bin/push.ts`: what it refuses cannot be deployed, whatever command is used. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { makeDeployment } from '../../bin/push.ts';
import { PROCESS_MS } from '../helpers/within.ts';

const IDENTITY = { AUTH_MODE: 'jwt', JWT_ISSUER: 'https://login.example', JWT_AUDIENCE: 'push' };

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly Properties: Record<string, unknown>;
}

/** Makes the template as the CDK does. */
async function synth(environment: Record<string, string>, context: Record<string, string> = {}) {
  const outdir = mkdtempSync(join(tmpdir(), 'push-synth-'));
  folders.push(outdir);
  const [stack] = (await makeDeployment(environment, { outdir, context })).synth().stacks;
  if (!stack) throw new Error('the app has no stack');
  const { Resources, Outputs } = stack.template as { Resources: Record<string, Resource>; Outputs: Record<string, object> };
  const warnings = stack.messages.filter(({ level }) => level === 'warning').map(({ entry }) => String(entry.data));
  return {
    name: stack.stackName,
    outdir,
    warnings,
    outputs: Object.keys(Outputs),
    ofType: (type: string) => Object.values(Resources).filter(({ Type }) => Type === type),
  };
}

describe('without identity', () => {
  test.each(['dev', 'prod'])('%s is refused, with the settings to choose from', async (stage) => {
    await expect(synth({}, { stage })).rejects.toThrow(/AUTH_MODE=jwt.*ALLOW_ANONYMOUS=true.*stage=local/);
  });

  test('the default stage is refused too: it is dev', async () => {
    await expect(synth({})).rejects.toThrow('ALLOW_ANONYMOUS=true');
    expect(await synth({ ALLOW_ANONYMOUS: 'true' })).toMatchObject({ name: 'RealtimePush-dev' });
  });

  test('local is made', async () => {
    expect(await synth({}, { stage: 'local' })).toMatchObject({ name: 'RealtimePush-local' });
  });

  test('the program prints the refusal without a stack, and fails', { timeout: 60_000 }, () => {
    const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'bin/push.ts'], {
      env: { ...process.env, AUTH_MODE: '', ALLOW_ANONYMOUS: '' },
      encoding: 'utf8',
      timeout: PROCESS_MS,
    });

    expect([status, stderr.split('\n').length]).toEqual([1, 2]);
    expect(stderr).toContain('AUTH_MODE=jwt');
  });
});

test('jwt without issuer and audience is refused', async () => {
  await expect(synth({ AUTH_MODE: 'jwt' })).rejects.toThrow(/JWT_ISSUER[\s\S]*JWT_AUDIENCE/);
});

test('an unknown stage is named', async () => {
  await expect(synth(IDENTITY, { stage: 'production' })).rejects.toThrow('-c stage: expected local, dev, prod, got "production"');
});

test('prod keeps its data once it stood, and can be set back; dev leaves nothing behind', async () => {
  const held = async (stage: string) => {
    const { ofType } = await synth(IDENTITY, { stage });
    const tables = ofType('AWS::DynamoDB::GlobalTable');
    return {
      policies: [...tables, ...ofType('AWS::S3::Bucket')].map(({ DeletionPolicy }) => DeletionPolicy).sort(),
      recoverable: tables.filter(({ Properties }) => JSON.stringify(Properties).includes('"PointInTimeRecoveryEnabled":true')).length,
      days: new Set(ofType('AWS::Logs::LogGroup').map(({ Properties }) => Properties['RetentionInDays'])),
    };
  };

  expect(await held('prod')).toEqual({
    policies: ['Delete', 'Delete', 'RetainExceptOnCreate', 'RetainExceptOnCreate', 'RetainExceptOnCreate'],
    recoverable: 2,
    days: new Set([90]),
  });
  expect(await held('dev')).toEqual({ policies: Array(5).fill('Delete'), recoverable: 0, days: new Set([14]) });
});

test('prod with identity, event streams and all has no finding of cdk-nag', async () => {
  const { outdir } = await synth(
    { ...IDENTITY, APP_PUSH_MODE: 'both', FRONT_DOOR: 'on', ALARM_TO: 'ops@shop.example' },
    { stage: 'prod', region: 'us-east-1' },
  );
  const report = JSON.parse(readFileSync(join(outdir, 'validation-report.json'), 'utf8')) as {
    pluginReports: { pluginName?: string; violations: unknown[] }[];
  };

  expect(report.pluginReports.length).toBeGreaterThanOrEqual(2);
  expect(report.pluginReports.flatMap(({ violations }) => violations)).toEqual([]);
});

describe('a region', () => {
  const streams = { ...IDENTITY, APP_PUSH_MODE: 'both' };

  test('with function URLs has event streams', async () => {
    expect((await synth(streams, { region: 'ap-northeast-2' })).ofType('AWS::Lambda::Url')).toHaveLength(1);
  });

  test('without function URLs has none, which is said', async () => {
    const { ofType, outdir } = await synth(streams, { region: 'eu-central-2' });

    expect(ofType('AWS::Lambda::Url')).toEqual([]);
    const said = readdirSync(outdir).map((name) => (name.endsWith('.json') ? readFileSync(join(outdir, name), 'utf8') : ''));
    expect(said.join('')).toContain('eu-central-2 has no function URLs');
  });
});

describe('an account with few concurrent executions', () => {
  const small = { ...IDENTITY, ACCOUNT_CONCURRENCY: '10' };

  test('gets queues that take the least', async () => {
    const mappings = (await synth(small)).ofType('AWS::Lambda::EventSourceMapping');

    // the engine's two, and one for each worker
    expect(mappings.length).toBeGreaterThanOrEqual(2);
    for (const { Properties } of mappings) expect(Properties['ScalingConfig']).toEqual({ MaximumConcurrency: 2 });
  });

  test('has no room for a hundred event streams, which is refused with the room there is', async () => {
    await expect(synth({ ...small, APP_PUSH_MODE: 'both' })).rejects.toThrow(
      'SSE_MAX_STREAMS: expected at most half of ACCOUNT_CONCURRENCY, which is 5, got 100',
    );
  });
});

describe('the front door', () => {
  const DOOR = { ...IDENTITY, APP_PUSH_MODE: 'both', FRONT_DOOR: 'on' };
  const DISTRIBUTION = 'AWS::CloudFront::Distribution';

  test('is off unless it is asked for', async () => {
    expect((await synth(IDENTITY)).ofType(DISTRIBUTION)).toEqual([]);
    expect((await synth(DOOR)).ofType(DISTRIBUTION)).toHaveLength(1);
  });

  test.each(['cn-north-1', 'us-gov-west-1', 'eu-central-2'])(
    'is off in %s, which is said, and the addresses of a deployment without it are there',
    async (region) => {
      const { ofType, warnings, outputs } = await synth(DOOR, { region });

      expect(ofType(DISTRIBUTION)).toEqual([]);
      expect(warnings.join()).toContain('FRONT_DOOR is off: ');
      expect(outputs).toEqual(expect.arrayContaining(['SocketUrl', 'ApiUrl']));
    },
  );

  test('takes a host name with its certificate, and a web ACL', async () => {
    const given = {
      DOMAIN_NAME: 'push.shop.example',
      CERTIFICATE_ARN: 'arn:aws:acm:us-east-1:123456789012:certificate/0a1b',
      WEB_ACL_ARN: 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/push/0a1b',
    };
    const [distribution] = (await synth({ ...DOOR, ...given })).ofType(DISTRIBUTION);

    expect(distribution?.Properties['DistributionConfig']).toMatchObject({
      Aliases: [given.DOMAIN_NAME],
      ViewerCertificate: { AcmCertificateArn: given.CERTIFICATE_ARN, MinimumProtocolVersion: 'TLSv1.2_2021' },
      WebACLId: given.WEB_ACL_ARN,
    });
  });

  test.each([
    [{ ...DOOR, DOMAIN_NAME: 'push.shop.example' }, 'expected both or none'],
    [{ ...DOOR, CERTIFICATE_ARN: 'arn:aws:acm:eu-west-1:123456789012:certificate/0a1b' }, 'in us-east-1'],
    [{ ...IDENTITY, WEB_ACL_ARN: 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/push/0a1b' }, 'expects FRONT_DOOR=on'],
    [{ ...DOOR, FRONT_DOOR: 'yes' }, 'FRONT_DOOR: expected on or off'],
  ])('refuses %j', async (settings, reason) => {
    await expect(synth(settings)).rejects.toThrow(reason);
  });
});
