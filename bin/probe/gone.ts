/** Probe of 410: when does `@connections` know that a connection is gone? */
import { setTimeout as pause } from 'node:timers/promises';
import { ApiGatewayManagementApiClient, GetConnectionCommand } from '@aws-sdk/client-apigatewaymanagementapi';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ENV, SOCKET_STAGE } from '../../core/names.ts';
import { linesIn } from '../log-lines.ts';
import { resourcesOf, type StackResource, type StackTarget } from '../stack-target.ts';
import { ANSWER_MS, type Fact, measured, type Probed, withStomp } from './fact.ts';

const POLL_MS = 100;
const GONE_MS = 60_000;
/** A log line is there after some seconds, and CloudWatch takes a few searches a second. */
const LOG_MS = 60_000;
const LOG_POLL_MS = 1_000;

export async function* probeGone(probed: Probed, target: StackTarget): AsyncGenerator<Fact> {
  const resources = await resourcesOf(target);
  const client = new ApiGatewayManagementApiClient({ ...target.client, endpoint: await callbackOf(resources, target) });
  try {
    for (const [fact, end] of ENDINGS) {
      const connectionId = await withStomp(probed, async (client, clientId) => {
        const id = await connectionOf(clientId, resources, target);
        end(client.socket);
        // a close is an exchange of frames, which the end of the work would cut short
        await client.closed(ANSWER_MS);
        return id;
      });
      yield measured(`410 after ${fact}`, 'soon', await untilGone(connectionId, client));
    }
  } finally {
    client.destroy();
  }
}

type Ending = (socket: { close(code: number): void; terminate(): void }) => void;
const ENDINGS: readonly (readonly [fact: string, end: Ending])[] = [
  ['a close', (socket) => socket.close(1000)],
  ['a connection that broke', (socket) => socket.terminate()],
];

async function untilGone(ConnectionId: string, client: ApiGatewayManagementApiClient): Promise<string> {
  const beganMs = Date.now();
  for (let elapsedMs = 0; elapsedMs < GONE_MS; elapsedMs = Date.now() - beganMs) {
    const status = await client.send(new GetConnectionCommand({ ConnectionId })).then(
      () => 200,
      (error: { $metadata?: { httpStatusCode?: number } }) => error.$metadata?.httpStatusCode,
    );
    if (status === 410) return `after ${Date.now() - beganMs} ms`;
    if (status !== 200) throw new Error(`@connections answers ${status}`);
    await pause(POLL_MS);
  }
  return `not within ${GONE_MS} ms`;
}

/** A connection's id, which only the functions' log has. Throws if it is not found. */
async function connectionOf(clientId: string, resources: readonly StackResource[], target: StackTarget): Promise<string> {
  const group = resources.find(({ id, type }) => type === 'AWS::Logs::LogGroup' && id.startsWith('Socketwsmessage'));
  const logs = new CloudWatchLogsClient(target.client);
  const beganMs = Date.now();
  try {
    while (Date.now() - beganMs < LOG_MS) {
      for (const { text } of await linesIn(logs, group?.physicalId ?? '', clientId, beganMs - LOG_MS)) {
        const { connectionId } = JSON.parse(text) as { connectionId?: string };
        if (connectionId !== undefined) return connectionId;
      }
      await pause(LOG_POLL_MS);
    }
  } finally {
    logs.destroy();
  }
  throw new Error('the log of ws-message does not have the connection: LOG_LEVEL must be INFO');
}

/** The address of `@connections`: that to which the functions post. */
async function callbackOf(resources: readonly StackResource[], { client }: StackTarget): Promise<string> {
  if (client.endpoint !== undefined) return `${client.endpoint}/${SOCKET_STAGE}`;
  const fn = resources.find(({ id, type }) => type === 'AWS::Lambda::Function' && id.startsWith('Socketwsmessage'));
  const lambda = new LambdaClient(client);
  try {
    const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: fn?.physicalId ?? '' }));
    return Environment?.Variables?.[ENV.callbackUrl] ?? '';
  } finally {
    lambda.destroy();
  }
}
