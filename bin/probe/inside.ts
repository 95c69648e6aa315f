/** What only the account's own credentials can see: when a connection is gone, and whether a loop is let go on. */
import { randomUUID } from 'node:crypto';
import { ApiGatewayManagementApiClient, GetConnectionCommand } from '@aws-sdk/client-apigatewaymanagementapi';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { CANARY, canaryTopic } from '../../core/channels/canary.ts';
import { SOCKET_STAGE } from '../../core/names.ts';
import { resourcesOf, type StackTarget } from '../stack-target.ts';
import { compared, type Fact, measured, type ProbeOptions, publishOne } from './fact.ts';
import { open, openStomp } from './socket.ts';

const POLL_MS = 50;
/** Between the events of the busy topic: four times as many as are delivered. */
const PACE_MS = 50;
const GONE_MS = 60_000;
/** A log line is there after some seconds. */
const LOG_MS = 60_000;

export async function* aboutGone(options: ProbeOptions, target: StackTarget): AsyncGenerator<Fact> {
  const client = new ApiGatewayManagementApiClient({ ...target.client, endpoint: await callbackOf(target) });
  /** Milliseconds until the connection answers 410; `null` = it does not. */
  const goneAfter = async (ConnectionId: string): Promise<number | null> => {
    const began = Date.now();
    while (Date.now() - began < GONE_MS) {
      const status = await client.send(new GetConnectionCommand({ ConnectionId })).then(
        () => 200,
        (error: { $metadata?: { httpStatusCode?: number } }) => error.$metadata?.httpStatusCode,
      );
      if (status === 410) return Date.now() - began;
      if (status !== 200) throw new Error(`@connections answers ${status}`);
      await new Promise((done) => setTimeout(done, POLL_MS));
    }
    return null;
  };
  const told = (ms: number | null): string => (ms === null ? `not within ${GONE_MS} ms` : `after ${ms} ms`);
  try {
    const closing = await openStomp(options);
    const closingId = await connectionOf(closing.clientId, target);
    closing.ws.close(1000);
    yield measured('410 after a close', 'at once', told(await goneAfter(closingId)));
    const vanishing = await openStomp(options);
    const vanishingId = await connectionOf(vanishing.clientId, target);
    vanishing.ws.terminate();
    yield measured('410 after a connection that broke', 'soon', told(await goneAfter(vanishingId)));
  } finally {
    client.destroy();
  }
}

/** A connection's id, which only the functions' log knows. Throws if it is not found: INFO lines must be logged. */
async function connectionOf(clientId: string, target: StackTarget): Promise<string> {
  const group = (await resourcesOf(target)).find(({ id, type }) => type === 'AWS::Logs::LogGroup' && id.startsWith('Socketwsmessage'));
  const logs = new CloudWatchLogsClient(target.client);
  const query = { logGroupName: group?.physicalId ?? '', startTime: Date.now() - LOG_MS, filterPattern: JSON.stringify(clientId) };
  try {
    for (const began = Date.now(); Date.now() - began < LOG_MS; ) {
      const { events = [] } = await logs.send(new FilterLogEventsCommand(query));
      for (const { message = '' } of events) {
        const { connectionId } = JSON.parse(message) as { connectionId?: string };
        if (connectionId !== undefined) return connectionId;
      }
      await new Promise((done) => setTimeout(done, POLL_MS));
    }
  } finally {
    logs.destroy();
  }
  throw new Error('the log of ws-message does not have the connection: LOG_LEVEL must be INFO');
}

async function callbackOf({ client, ...target }: StackTarget): Promise<string> {
  if (client.endpoint !== undefined) return `${client.endpoint}/${SOCKET_STAGE}`;
  const api = (await resourcesOf({ ...target, client })).find(
    ({ id, type }) => type === 'AWS::ApiGatewayV2::Api' && id.startsWith('Socket'),
  );
  const region = process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'];
  if (!region) throw new Error('AWS_REGION: set it to the region of the stack');
  return `https://${api?.physicalId}.execute-api.${region}.${region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'}/${SOCKET_STAGE}`;
}

/** A topic that never rests makes its worker hand on again and again: a loop, which the platform would cut after some 16 rounds. */
export async function* aboutHops(options: ProbeOptions, target: StackTarget, source: string, busySeconds: number): AsyncGenerator<Fact> {
  const dead = await deadLetters(target);
  const client = await open(options);
  const id = randomUUID();
  client.ws.send(JSON.stringify({ type: 'subscribe', topic: canaryTopic(source, id) }));
  await client.until('"subscribed"');
  const until = Date.now() + busySeconds * 1000;
  let sent = 0;
  while (Date.now() < until) {
    await publishOne({ source, detailType: CANARY, detail: { id } }, options);
    sent += 1;
    await new Promise((done) => setTimeout(done, PACE_MS));
  }
  const before = client.texts.length;
  await publishOne({ source, detailType: CANARY, detail: { id } }, options);
  const last = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(resolve, 10_000, false);
    client.ws.on('message', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
  const got = client.texts.filter((text) => text.includes('"canary"')).length;
  client.ws.terminate();
  yield compared(
    `a topic that is busy for ${busySeconds} s, beyond 16 rounds`,
    'the newest arrives, and nothing is given up',
    last && before > 0 && (await deadLetters(target)) === dead
      ? 'the newest arrives, and nothing is given up'
      : `the newest ${last ? 'arrives' : 'is missing'}; dead letters: ${(await deadLetters(target)) - dead} more`,
  );
  yield measured('its events and deliveries', 'at most 5 a second are delivered', `${sent + 1} and ${got}`);
}

/** Messages in all dead-letter queues. */
async function deadLetters(target: StackTarget): Promise<number> {
  const queues = (await resourcesOf(target)).filter(({ id, type }) => type === 'AWS::SQS::Queue' && id.includes('Dead'));
  const sqs = new SQSClient(target.client);
  try {
    let messages = 0;
    for (const { physicalId } of queues) {
      const QueueUrl = physicalId.startsWith('http') ? physicalId : `${target.client.endpoint ?? ''}/000000000000/${physicalId}`;
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] }),
      );
      messages += Number(Attributes['ApproximateNumberOfMessages'] ?? 0);
    }
    return messages;
  } finally {
    sqs.destroy();
  }
}
