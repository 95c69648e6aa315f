/** `npm run dead-letters`: what a deployment or the local run has given up, why, and how it is tried again. */
import './node-version.ts';
import { setTimeout as pause } from 'node:timers/promises';
import {
  GetQueueAttributesCommand,
  ListMessageMoveTasksCommand,
  PurgeQueueCommand,
  type QueueAttributeName,
  ReceiveMessageCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { REASON_ATTRIBUTE } from '../core/names.ts';
import { commandLine } from './command-line.ts';
import { queueUrl, resourcesOf, type StackTarget, stackTarget, TARGET_OPTIONS, TARGET_USAGE } from './stack-target.ts';

const USAGE = `usage: npm run --silent dead-letters -- list                 every dead-letter queue and how many messages it holds
       npm run --silent dead-letters -- show QUEUE           its messages, each with the reason
       npm run --silent dead-letters -- redrive QUEUE        moves all of them back, to be tried again
       npm run --silent dead-letters -- delete QUEUE --yes   deletes all of them, for good
${TARGET_USAGE}
         --most 20      how many messages to show
         --yes          really delete
QUEUE is a name from the list, or its beginning; a shown message stays where it is`;

const WORDS = ['list', 'show', 'redrive', 'delete'];

/** A shown message is not shown again within this time, in seconds. */
const SHOWN_SECONDS = 10;
const LOOK_MS = 1_000;

interface DeadQueue {
  /** In the template: `IngestEventsDead…`. */
  readonly name: string;
  readonly url: string;
  readonly arn: string;
  readonly messages: number;
  /** ARN of the queue that it belongs to. */
  readonly source: string;
}

const ATTRIBUTES: QueueAttributeName[] = [
  'QueueArn',
  'RedrivePolicy',
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
];

async function deadQueues(target: StackTarget, sqs: SQSClient): Promise<DeadQueue[]> {
  const queues = (await resourcesOf(target)).filter(({ type }) => type === 'AWS::SQS::Queue');
  const read = await Promise.all(
    queues.map(async (queue) => {
      const { id } = queue;
      const url = queueUrl(queue, target);
      const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ATTRIBUTES }));
      return { id, url, attributes: Attributes };
    }),
  );
  return read.flatMap(({ attributes }) => {
    if (attributes['RedrivePolicy'] === undefined) return [];
    const { deadLetterTargetArn } = JSON.parse(attributes['RedrivePolicy']) as { deadLetterTargetArn: string };
    const dead = read.find((one) => one.attributes['QueueArn'] === deadLetterTargetArn);
    if (!dead) return [];
    const { ApproximateNumberOfMessages = '0', ApproximateNumberOfMessagesNotVisible = '0' } = dead.attributes;
    return [
      {
        name: dead.id,
        url: dead.url,
        arn: deadLetterTargetArn,
        messages: Number(ApproximateNumberOfMessages) + Number(ApproximateNumberOfMessagesNotVisible),
        source: attributes['QueueArn'] ?? '',
      },
    ];
  });
}

function named(word: string, queues: readonly DeadQueue[]): DeadQueue {
  const found = queues.filter(({ name }) => name.toLowerCase().startsWith(word.toLowerCase()));
  if (found[0] && found.length === 1) return found[0];
  throw new Error(
    `${found.length === 0 ? 'no' : 'more than one'} dead-letter queue begins with ${word}; there are ${queues.map(({ name }) => name).join(', ')}`,
  );
}

async function show({ url }: DeadQueue, most: number, sqs: SQSClient): Promise<void> {
  let shown = 0;
  while (shown < most) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: Math.min(10, most - shown),
        VisibilityTimeout: SHOWN_SECONDS,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['SentTimestamp'],
      }),
    );
    if (Messages.length === 0) break;
    for (const { Body = '', MessageAttributes = {}, Attributes = {} } of Messages) {
      const reason =
        MessageAttributes[REASON_ATTRIBUTE]?.StringValue ?? MessageAttributes['ERROR_MESSAGE']?.StringValue ?? 'it was tried too often';
      console.log(`${new Date(Number(Attributes['SentTimestamp'] ?? 0)).toISOString()}  ${reason}\n  ${Body}`);
    }
    shown += Messages.length;
  }
  console.log(shown === 0 ? 'nothing to show: it is empty, or was shown within the last seconds' : `${shown} shown`);
}

async function redrive({ name, arn, source, messages }: DeadQueue, sqs: SQSClient): Promise<void> {
  if (messages === 0) return console.log(`${name} is empty`);
  await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: arn, DestinationArn: source }));
  for (;;) {
    const { Results = [] } = await sqs.send(new ListMessageMoveTasksCommand({ SourceArn: arn, MaxResults: 1 }));
    const { Status = '', ApproximateNumberOfMessagesMoved = 0, FailureReason = '' } = Results[0] ?? {};
    console.log(
      `${Status.toLowerCase()}: ${ApproximateNumberOfMessagesMoved} of about ${messages} moved${FailureReason ? `, ${FailureReason}` : ''}`,
    );
    if (Status !== 'RUNNING') {
      if (Status !== 'COMPLETED') process.exitCode = 1;
      return;
    }
    await pause(LOOK_MS);
  }
}

async function deleteAll({ name, url, messages }: DeadQueue, isSure: boolean, sqs: SQSClient): Promise<void> {
  if (!isSure) throw new Error(`about ${messages} messages of ${name} would be lost for good: show them first, then say --yes`);
  await sqs.send(new PurgeQueueCommand({ QueueUrl: url }));
  console.log(`${name}: about ${messages} deleted, within a minute`);
}

async function main(): Promise<void> {
  const { values, positionals } = commandLine(USAGE, {
    options: { ...TARGET_OPTIONS, most: { type: 'string', default: '20' }, yes: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const [word = '', operand, ...rest] = positionals;
  if (!WORDS.includes(word) || rest.length > 0 || (word === 'list') !== (operand === undefined))
    throw new Error(`expected list, show QUEUE, redrive QUEUE or delete QUEUE\n${USAGE}`);
  if (!/^[1-9]\d{0,4}$/.test(values.most)) throw new Error(`--most: expected a whole number from 1 up, got ${JSON.stringify(values.most)}`);
  const target = stackTarget(values, process.env);
  const sqs = new SQSClient(target.client);
  try {
    const queues = await deadQueues(target, sqs);
    if (word === 'list') for (const { name, messages } of queues) console.log(`${String(messages).padStart(8)}  ${name}`);
    else if (word === 'show') await show(named(operand ?? '', queues), Number(values.most), sqs);
    else if (word === 'redrive') await redrive(named(operand ?? '', queues), sqs);
    else await deleteAll(named(operand ?? '', queues), values.yes, sqs);
  } finally {
    sqs.destroy();
  }
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
