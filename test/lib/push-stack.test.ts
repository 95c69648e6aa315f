/** The infrastructure keeps its grants, retries and expiry. */
import { readFileSync } from 'node:fs';
import { describe, expect, inject, test } from 'vitest';
import { DRAIN_TIMEOUT_SECONDS, TURN_SECONDS } from '../../core/names.ts';
import { VERSION } from '../../core/version.ts';
import { channels } from '../helpers/ports.ts';

interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
}
const template = () =>
  JSON.parse(readFileSync(inject('templateFile'), 'utf8')) as {
    Resources: Record<string, Resource>;
    Outputs: Record<string, { Value: unknown }>;
  };
const ofType = (type: string): [string, Resource][] => Object.entries(template().Resources).filter(([, { Type }]) => Type === type);

describe('functions', () => {
  test('run on Node 24 and arm64, keep their logs for a day on this machine, and have source maps', () => {
    for (const [, { Properties }] of ofType('AWS::Lambda::Function')) {
      expect(Properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Environment: { Variables: { NODE_OPTIONS: '--enable-source-maps' } },
      });
    }
    for (const [, { Properties }] of ofType('AWS::Logs::LogGroup')) expect(Properties['RetentionInDays']).toBe(1);
  });

  test('may be invoked by what they cause themselves only where that is meant', () => {
    const looping = ofType('AWS::Lambda::Function').filter(([, { Properties }]) => Properties['RecursiveLoop'] !== undefined);

    expect(looping.map(([id, { Properties }]) => [id.replace(/[0-9A-F]{8}$/, ''), Properties['RecursiveLoop']])).toEqual([
      ['Deliveryfanout', 'Allow'],
    ]);
  });

  test('have no grant by wildcard, and only the sweep may scan', () => {
    for (const [id, { Properties }] of ofType('AWS::IAM::Policy')) {
      const { Statement } = Properties['PolicyDocument'] as { Statement: { Action: string | string[]; Resource: unknown }[] };
      const actions = Statement.flatMap(({ Action }) => Action);
      expect(actions.filter((action) => action.includes('*'))).toEqual([]);
      expect(actions.includes('dynamodb:Scan')).toBe(id.toLowerCase().includes('sweep'));
      expect(Statement.map(({ Resource }) => Resource)).not.toContain('*');
    }
  });
});

describe('queues', () => {
  test('keep a message invisible for longer than a function and its turn last, and have dead-letter queues', () => {
    const work = ofType('AWS::SQS::Queue').filter(([, { Properties }]) => Properties['RedrivePolicy'] !== undefined);
    // a worker's function takes no turns
    const isWorkers = ([id]: readonly [string, unknown]): boolean => id.startsWith('WorkersWork');

    expect(work.filter((queue) => !isWorkers(queue))).toHaveLength(2);
    for (const queue of work)
      expect(queue[1].Properties['VisibilityTimeout']).toBeGreaterThanOrEqual(isWorkers(queue) ? 35 : DRAIN_TIMEOUT_SECONDS + TURN_SECONDS);
  });

  test('deliver small batches at once and retry single records', () => {
    for (const [, { Properties }] of ofType('AWS::Lambda::EventSourceMapping')) {
      expect(Properties).toMatchObject({ BatchSize: 10, FunctionResponseTypes: ['ReportBatchItemFailures'] });
      expect(Properties).not.toHaveProperty('MaximumBatchingWindowInSeconds');
    }
  });
});

test('tables are billed on demand and delete expired items', () => {
  expect(ofType('AWS::DynamoDB::GlobalTable')).toHaveLength(4);
  for (const [, { Properties }] of ofType('AWS::DynamoDB::GlobalTable')) {
    expect(Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    });
  }
});

test('the WebSocket stage is called ws, which is its path', () => {
  expect(ofType('AWS::ApiGatewayV2::Stage').map(([, { Properties }]) => Properties['StageName'])).toContain('ws');
});

test('every channel has a rule on the bus, and every rule has a channel', () => {
  const sources = [...new Set(channels.all.map(({ source }) => source))];
  const rules = ofType('AWS::Events::Rule').flatMap(
    ([, { Properties }]) => (Properties['EventPattern'] as { source?: string[] } | undefined)?.source ?? [],
  );

  expect(rules.sort()).toEqual(sources.sort());
});

test('the version that clients get is that of the package', () => {
  expect(VERSION).toBe((JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version);
});

test('the whole template, code aside, is as it was', () => {
  const stable = JSON.stringify(template(), null, 2)
    .replace(/[0-9a-f]{64}\.zip/g, '[asset].zip')
    // tests have no session today (`test/helpers/market.ts`)
    .replace(/"MARKET_HOLIDAYS": "[\d-]*"/g, '"MARKET_HOLIDAYS": ""')
    .replace(/"asset\.[0-9a-f]{64}"/g, '"asset.[hash]"');

  expect(stable).toMatchSnapshot();
});
