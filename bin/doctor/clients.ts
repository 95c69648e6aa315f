import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { StackTarget } from '../stack-target.ts';

/** Clients of the services whose resources are looked at. */
export interface Clients {
  readonly lambda: LambdaClient;
  readonly tables: DynamoDBClient;
  readonly events: EventBridgeClient;
  readonly queues: SQSClient;
  readonly logs: CloudWatchLogsClient;
  destroy(): void;
}

export function makeClients({ client }: StackTarget): Clients {
  const clients = {
    lambda: new LambdaClient(client),
    tables: new DynamoDBClient(client),
    events: new EventBridgeClient(client),
    queues: new SQSClient(client),
    logs: new CloudWatchLogsClient(client),
  };
  return { ...clients, destroy: () => void Object.values(clients).map((one) => one.destroy()) };
}
