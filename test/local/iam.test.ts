/** The local run enforces the functions' policies: a grant that is missing in the template fails as on AWS, and says what is missing. */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { connect, ofType } from '../helpers/client.ts';
import { freshId, freshTicker, rank, tick } from '../helpers/events.ts';
import { type OwnRun, ownRun } from '../helpers/local.ts';

interface Statement {
  Action: string | string[];
  Resource: unknown;
}

type Resources = Record<string, { Type: string; Properties: { PolicyDocument: { Statement: Statement[] } } }>;

/** A template of another name, changed. Its assets stay where they are. */
function changed(name: string, change: (resources: Resources) => number): string {
  const file = inject('templateFile');
  const template = JSON.parse(readFileSync(file, 'utf8')) as { Resources: Resources };
  expect(change(template.Resources)).toBeGreaterThan(0);
  const copy = join(dirname(file), `${name}-${basename(file)}`);
  writeFileSync(copy, JSON.stringify(template));
  writeFileSync(copy.replace('.template.', '.assets.'), readFileSync(file.replace('.template.', '.assets.')));
  return copy;
}

/** The template without the resources of one type for which the claim holds. */
const withoutResource = (name: string, type: string, claim: (id: string, text: string) => boolean): string =>
  changed(name, (resources) => {
    const gone = Object.entries(resources).filter(([id, one]) => one.Type === type && claim(id, JSON.stringify(one)));
    for (const [id] of gone) delete resources[id];
    return gone.length;
  });

/** The template without the statements of some functions' policies for which the claim holds. */
function without(name: string, policy: RegExp, claim: (statement: { actions: string[]; resource: string }) => boolean): string {
  return changed(name, (resources) => {
    let removed = 0;
    for (const [id, { Type, Properties }] of Object.entries(resources)) {
      if (Type !== 'AWS::IAM::Policy' || !policy.test(id)) continue;
      const { Statement } = Properties.PolicyDocument;
      Properties.PolicyDocument.Statement = Statement.filter(
        ({ Action, Resource }) => !claim({ actions: [Action].flat(), resource: JSON.stringify(Resource) }),
      );
      removed += Statement.length - Properties.PolicyDocument.Statement.length;
    }
    return removed;
  });
}

let own: OwnRun | null = null;
afterEach(async () => {
  await own?.run.stop();
  own = null;
});

/** Waits for a line of the logs. */
const logged = (pattern: RegExp) =>
  own?.eventually(
    async () => own?.logs.join('\n') ?? '',
    (logs) => pattern.test(logs),
  );
const denied = (fn: string, action: string, resource: string): RegExp =>
  new RegExp(`assumed-role/${fn}/${fn} is not authorized to perform: ${action} on resource: [^ ]*${resource}`);

describe('without its grant', () => {
  test('rest cannot read a quote', async () => {
    own = await ownRun({ templateFile: without('quote', /^Httprest/, ({ actions }) => actions.includes('dynamodb:Query')) });
    const answer = await own.get('/api/kr/stocks/005930/realtime-price');

    expect([answer.status, answer.body['error_code']]).toEqual([500, 'INTERNAL_SERVER_ERROR']);
    await logged(denied('rest', 'dynamodb:GetItem', 'Topics'));
  });

  test('rest cannot read the publish key, and nobody can publish', async () => {
    own = await ownRun({ templateFile: without('key', /^Httprest/, ({ actions }) => actions.includes('secretsmanager:GetSecretValue')) });
    const answer = await own.post('/internal/events', { events: [tick(freshTicker(), 1)] });

    expect(answer.status).toBe(500);
    await logged(denied('rest', 'secretsmanager:GetSecretValue', 'PublishKey'));
  });

  test('rest cannot put onto the bus, and can still put on the queue', async () => {
    own = await ownRun({ templateFile: without('bus', /^Httprest/, ({ actions }) => actions.includes('events:PutEvents')) });

    expect((await own.post('/internal/events', { events: [tick(freshTicker(), 1)], lane: 'bus' })).status).toBe(500);
    expect((await own.post('/internal/events', { events: [tick(freshTicker(), 1)], lane: 'direct' })).status).toBe(202);
    await logged(denied('rest', 'events:PutEvents', 'Bus'));
  });

  test('ingest cannot post', async () => {
    own = await ownRun({
      templateFile: without('post', /^Ingestingest/, ({ actions }) => actions.includes('execute-api:ManageConnections')),
    });
    const ticker = freshTicker();
    const client = await connect(own.url);
    client.send({ type: 'subscribe', topic: `price:${ticker}` });
    await client.until(ofType('subscribed'));
    await own.publish([tick(ticker, 1)]);

    await logged(denied('ingest', 'execute-api:ManageConnections', '/ws/POST/@connections/'));
    await client.close();
  });

  test('ws-message cannot ask for a job', async () => {
    own = await ownRun({ templateFile: without('job', /^Socketwsmessage/, ({ actions }) => actions.includes('sqs:SendMessage')) });
    const [userId, concertId] = [freshId(), freshId()];
    await own.publish([rank(concertId, userId, 1)]);
    await own.run.settled();
    const client = await connect(own.url);
    const topic = `/topic/waiting-queue/${concertId}/${userId}`;
    client.send({ type: 'subscribe', topic });
    await client.until(ofType('subscribed'));
    // a repeated one is served by a job
    client.send({ type: 'subscribe', topic });

    await client.until(ofType('error'));
    await logged(denied('ws-message', 'sqs:SendMessage', 'Jobs'));
    await client.close();
  });

  test('a missing body is forbidden, and not missing', async () => {
    own = await ownRun({ templateFile: without('list', /^Httprest/, ({ actions }) => actions.includes('s3:ListBucket')) });

    expect((await own.get('/api/messages/any-id')).status).toBe(500);
  });

  test('a function cannot be fed from its queue: the run does not start', async () => {
    const templateFile = without('poll', /^Ingestingest/, ({ actions }) => actions.includes('sqs:ReceiveMessage'));

    await expect(ownRun({ templateFile })).rejects.toThrow(denied('ingest', 'sqs:ReceiveMessage', 'Events'));
  });

  test('a function writes no log, which is said', async () => {
    own = await ownRun({ templateFile: without('log', /^Httprest/, ({ actions }) => actions.includes('logs:PutLogEvents')) });
    await own.get('/api/health');

    expect(own.logs.filter((line) => line.startsWith('rest:'))).toEqual([]);
    await logged(denied('rest', 'logs:CreateLogStream', 'logs'));
  });
});

describe('without its permission', () => {
  const PERMISSION = 'AWS::Lambda::Permission';

  test('the HTTP API cannot call rest', async () => {
    own = await ownRun({ templateFile: withoutResource('http', PERMISSION, (id) => id.startsWith('HttpApi')) });

    expect(await own.get('/api/health')).toMatchObject({ status: 500, body: { message: 'Internal Server Error' } });
    await logged(/rest has no AWS::Lambda::Permission for apigateway/);
  });

  test('no handshake succeeds', async () => {
    own = await ownRun({ templateFile: withoutResource('socket', PERMISSION, (id) => id.startsWith('SocketApiconnect')) });

    await expect(connect(own.url)).rejects.toThrow('500');
    await logged(/ws-connect has no AWS::Lambda::Permission for apigateway/);
  });

  test.each(['InvokeFunctionUrl', 'InvokeFunction'])('of two, %s, the function URL answers 403', async (action) => {
    const open = (_: string, text: string) => text.includes('"cloudfront.amazonaws.com"') && text.includes(`"lambda:${action}"`);
    own = await ownRun({ templateFile: withoutResource(action, PERMISSION, open) });

    const { status } = await fetch(`${own.url}/api/reservations/v5/subscribe?userId=1&seatId=1`);
    expect(status).toBe(403);
    await logged(new RegExp(`does not allow cloudfront.amazonaws.com lambda:${action}$`, 'm'));
  });

  test('a distribution that passes on its own Host gets 403, as from the platform', async () => {
    const wrong = changed('host', (resources) => {
      const distribution = Object.values(resources).find(({ Type }) => Type === 'AWS::CloudFront::Distribution');
      if (!distribution) return 0;
      const { DistributionConfig } = distribution.Properties as unknown as { DistributionConfig: { DefaultCacheBehavior: object } };
      Object.assign(DistributionConfig.DefaultCacheBehavior, { OriginRequestPolicyId: 'all-of-it' });
      return 1;
    });
    own = await ownRun({ templateFile: wrong });

    expect(await own.get('/api/health')).toMatchObject({ status: 403, body: { message: 'Forbidden' } });
  });

  test('the sweep is never called', async () => {
    own = await ownRun({ templateFile: withoutResource('sweep', PERMISSION, (id) => id.includes('sweep')) });
    own.run.clock.advance(60_000);

    await logged(/sweep has no AWS::Lambda::Permission for events/);
  });

  test('a rule cannot fill the queue', async () => {
    own = await ownRun({ templateFile: withoutResource('fill', 'AWS::SQS::QueuePolicy', (id) => id.startsWith('IngestEventsQueue')) });
    const ticker = freshTicker();
    await own.publish([tick(ticker, 1)], 'bus');
    await own.run.settled();

    expect((await own.get(`/internal/price/${ticker}`)).status).toBe(404);
    await logged(/delivers nothing: the policy of IngestEventsQueue/);
    // alarms are looked at from the third minute on
    for (let minute = 0; minute < 4; minute++) {
      await own.publish([tick(ticker, 1)], 'bus');
      own.run.clock.advance(60_000);
      await own.run.settled();
    }
    await logged(/alarm RealtimePush-local-Undelivered-market\.price/);
  });
});

test('an upstream with its own credentials acts as the owner of the account', async () => {
  own = await ownRun();
  const answer = await fetch(own.run.awsUrl, {
    method: 'POST',
    headers: {
      'x-amz-target': 'AWSEvents.PutEvents',
      authorization: 'AWS4-HMAC-SHA256 Credential=upstream/20260101/local/events/aws4_request, SignedHeaders=host, Signature=x',
    },
    body: JSON.stringify({ Entries: [{ Source: 'a', DetailType: 'b', Detail: '{}', EventBusName: own.run.busName }] }),
  });

  expect(await answer.json()).toMatchObject({ FailedEntryCount: 0 });
});

/** A call to AWS's local endpoint, as a function makes it. */
const calledAs = (fn: string, path: string, target: string, input: object) =>
  fetch(`${own?.run.awsUrl}${path}`, {
    method: path === '/' ? 'POST' : 'GET',
    headers: {
      ...(path === '/' ? { 'x-amz-target': target } : {}),
      'x-amz-date': new Date().toISOString().replace(/[-:]|\.\d{3}/g, ''),
      authorization: `AWS4-HMAC-SHA256 Credential=LOCAL.${fn}/20260101/local/x/aws4_request, SignedHeaders=host, Signature=x`,
    },
    ...(path === '/' ? { body: JSON.stringify(input) } : {}),
  });

test('a function learns nothing of the deployment, and a batch of nothing opens no table', async () => {
  own = await ownRun();
  const refused = async (answer: Promise<Response>) => expect(await (await answer).text()).toContain('is not authorized to perform');
  await refused(calledAs('page', '/2015-03-31/functions/any/configuration', '', {}));
  await refused(calledAs('page', '/', 'AWSEvents.DescribeRule', { Name: 'any' }));
  const [settings = ''] = (await own.run.grants()).all.flatMap(
    (line) => /dynamodb:PutItem \S*?(StorageSettings\w+)$/.exec(line)?.[1] ?? [],
  );
  const item = { TableName: settings, Item: { kind: { S: 'a' }, id: { S: 'b' } } };
  for (const input of [item, { ...item, RequestItems: {} }]) await refused(calledAs('page', '/', 'DynamoDB_20120810.PutItem', input));
});
