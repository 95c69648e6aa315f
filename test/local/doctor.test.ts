/** `npm run doctor` finds each of these faults, from outside and by its resources, and says whose it is. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, expect, inject, test } from 'vitest';
import { buildId } from '../../bin/build.ts';
import type { Deployed } from '../../bin/deployed.ts';
import { examine } from '../../bin/doctor/examine.ts';
import type { Finding } from '../../bin/doctor/finding.ts';
import { type DeployedTemplate, stackTarget } from '../../bin/stack-target.ts';
import { sourcesOf } from '../../core/channels/channels.ts';
import { systems } from '../../systems/index.ts';
import { type OwnRun, ownRun, tablesClient } from '../helpers/local.ts';
import { makeStale, type PlantedTemplate, partOf, planted } from '../helpers/planted.ts';
import { PROCESS_MS } from '../helpers/within.ts';

const FUNCTION = 'AWS::Lambda::Function';

let own: OwnRun | undefined;
afterEach(async () => {
  await own?.run.stop();
  own = undefined;
});

async function damaged(damage: (template: PlantedTemplate) => void): Promise<OwnRun> {
  own = await ownRun({ templateFile: planted(damage) });
  return own;
}

const portOf = (url: string): string => new URL(url).port;

/** This checkout's template, which is made already. */
const shared = async () => JSON.parse(readFileSync(inject('templateFile'), 'utf8')) as DeployedTemplate;

const channels = systems.flatMap((system) => system.channels);
const pathsAt = (url: string): Pick<Deployed, 'api' | 'socket' | 'streams' | 'sources' | 'streamPaths'> => ({
  api: url,
  socket: `${url.replace('http', 'ws')}/ws`,
  streams: url,
  sources: sourcesOf(channels),
  streamPaths: channels.flatMap(({ http }) => http?.stream ?? []),
});

/** A line for each thing that is bad. `inside` = by the resources too; `build` = this checkout's template is made anew. */
async function troubles(
  { url, key, run }: OwnRun,
  { inside = true, key: otherKey = key, waitMs = 5_000, build = false } = {},
): Promise<string[]> {
  const target = inside ? stackTarget({}, { AWS_PORT: portOf(run.awsUrl) }) : null;
  const options = { waitMs, environment: {}, ...(build ? {} : { expected: shared }) };
  const found: Finding[] = [];
  for await (const finding of examine({ ...pathsAt(url), target, key: otherKey, token: null }, options)) found.push(finding);
  return found.filter(({ outcome }) => outcome === 'bad').map(({ check, says }) => `${check}: ${says}`);
}
/** Expects trouble of exactly these checks, and lines that have all of these words. */
function expectOnly(found: readonly string[], checks: readonly string[], ...words: string[]): void {
  expect([...new Set(found.map((line) => line.split(': ')[0]))].sort()).toEqual([...checks].sort());
  expect(found).toEqual(expect.arrayContaining(words.map((word) => expect.stringContaining(word))));
}
const CANARIES = pathsAt('').sources.map((source) => `canary of ${source}`);

test('finds nothing in a deployment that is well; then a wrong key, a wrong clock, and a table that is gone', async () => {
  own = await ownRun();
  expect(await troubles(own, { waitMs: 20_000, build: true })).toEqual([]);
  expect(await troubles(own, { inside: false, key: 'no-key' })).toEqual([expect.stringMatching(/^wrong key: .*npm run keys/)]);

  own.run.clock.advance(6 * 60_000);
  expect(await troubles(own, { inside: false, waitMs: 20_000 })).toEqual([
    expect.stringMatching(/^clock skew: its clock is 3\d\d s ahead/),
  ]);

  const client = tablesClient(own.run);
  const [table] = [...(await own.run.grants()).all].flatMap((line) => /dynamodb:\w+ \S*?(StorageTopics\w+)$/.exec(line)?.[1] ?? []);
  await client.send(new DeleteTableCommand({ TableName: table ?? '' }));
  client.destroy();
  expect(await troubles(own, { waitMs: 1_000 })).toEqual(expect.arrayContaining([expect.stringContaining('missing table: StorageTopics')]));
});

test('finds functions that post to another address', async () => {
  const run = await damaged((template) => {
    for (const { Type, Properties } of Object.values(template.Resources)) {
      const { Variables = {} } = (Properties?.['Environment'] ?? {}) as { Variables?: Record<string, unknown> };
      if (Type === FUNCTION && Variables['CALLBACK_URL'])
        Variables['CALLBACK_URL'] = 'https://abcdef.execute-api.eu-west-1.amazonaws.com/ws/v1';
    }
  });
  expectOnly(
    await troubles(run),
    ['WebSocket', 'wrong callback URL'],
    'WebSocket: it opens, but a subscription is not answered',
    'wrong callback URL: Socketwsmessage',
    'wrong callback URL: Ingestingest',
  );
});

test('finds a disabled rule, a missing page, and the code of another day', async () => {
  let sweep = '';
  const templateFile = planted((template) => {
    partOf(template, 'AWS::Events::Rule', 'IngestRuleticketreservation')[1].Properties['State'] = 'DISABLED';
    for (const [id, { Type, Properties }] of Object.entries(template.Resources))
      if (Type === 'AWS::ApiGatewayV2::Route' && Properties['RouteKey'] === 'ANY /') delete template.Resources[id];
  });
  const template = JSON.parse(readFileSync(templateFile, 'utf8')) as PlantedTemplate;
  for (const begin of ['Httprest', 'Schedulessweep']) {
    const [id, fn] = partOf(template, FUNCTION, begin);
    makeStale(templateFile, fn);
    if (begin === 'Schedulessweep') sweep = id;
    else changeBuild(templateFile, fn.Properties['Code'] as { S3Key: string });
  }
  writeFileSync(templateFile, JSON.stringify(template));
  own = await ownRun({ templateFile });

  const outside = ['stale build', 'no page', 'canary of ticket.reservation'];
  const found = await troubles(own);
  expectOnly(
    found,
    [...outside, 'rule disabled', 'missing part', 'stale bundle'],
    'stale build: build 000000000000 runs there',
    'no page: GET / answers 404',
    'canary of ticket.reservation: accepted, but over the bus',
    'rule disabled: IngestRuleticketreservation',
    'ANY /)',
    sweep,
  );
});

/** The bundle says that it was made of other sources. */
function changeBuild(templateFile: string, { S3Key }: { readonly S3Key: string }): void {
  const file = join(dirname(templateFile), `asset.${S3Key.replace('.zip', '')}`, 'index.mjs');
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(buildId(), '000000000000'));
}

test('finds a queue without consumer', async () => {
  const run = await damaged((template) => {
    const [id] = partOf(template, 'AWS::Lambda::EventSourceMapping', 'Ingestingest');
    delete template.Resources[id];
  });
  expectOnly(
    await troubles(run),
    [...CANARIES, 'queue without consumer'],
    'queue without consumer: no function takes the',
    'IngestEventsQueue',
    'canary of market.price: accepted, but past the bus',
  );
});

test('finds grants that are missing: of a function, and of those who call its URL', async () => {
  const run = await damaged((template) => {
    const [, policy] = partOf(template, 'AWS::IAM::Policy', 'Ingestingest');
    const { Statement } = policy.Properties['PolicyDocument'] as { Statement: { Action: string | string[] }[] };
    for (const statement of Statement) statement.Action = [statement.Action].flat().filter((action) => action !== 'dynamodb:UpdateItem');
    for (const [id, { Type, Properties }] of Object.entries(template.Resources))
      if (Type === 'AWS::Lambda::Permission' && Properties['InvokedViaFunctionUrl'] === true) delete template.Resources[id];
  });
  expectOnly(
    await troubles(run),
    [...CANARIES, ...pathsAt('').streamPaths.map((path) => `stream ${path}`), 'missing grant', 'missing grant of the URL'],
    'missing grant: in the log Ingestingest',
    'dynamodb:UpdateItem',
    'does not allow lambda:InvokeFunction to the front door',
    'stream /api/v1/waiting-queue/subscribe: answers 403',
  );
});

test('finds an origin that refuses its own front door', async () => {
  const run = await damaged((template) => {
    const [, rest] = partOf(template, FUNCTION, 'Httprest');
    (rest.Properties['Environment'] as { Variables: Record<string, unknown> }).Variables['ORIGIN_KEY'] = 'of-another-day';
  });
  expectOnly(
    await troubles(run),
    ['closed origin', 'publishing', 'differing origin keys'],
    'closed origin: the API refuses what comes from',
    'differing origin keys: ORIGIN_KEY differs between functions: ',
    'Httprest',
  );
});

test('the program prints a line for each check, and ends with status 1 if something is bad', async () => {
  own = await ownRun();
  const run = promisify(execFile);
  const words = ['--import', 'tsx', 'bin/doctor.ts', '--url', own.url, '--key', 'no-key'];
  const failed = await run(process.execPath, words, { timeout: PROCESS_MS }).catch((error: { stdout: string; code: number }) => error);
  expect(failed).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^ok {4}API: version .*[\s\S]*^BAD {3}wrong key: [\s\S]*^1 bad$/m),
  });
});
