/** The calls of SQS: those of the functions, and those with which an operator looks at dead letters and moves them back. */
import { createHash, randomUUID } from 'node:crypto';
import { AwsError } from './aws-error.ts';
import { arnOf, idOfArn } from './deployment.ts';
import type { LocalQueue } from './resources/queue.ts';

type Input = Readonly<Record<string, unknown>>;
type Queues = ReadonlyMap<string, LocalQueue>;

/** `trace`: the caller's trace header. */
type QueueCall = (input: Input, queues: Queues, trace: string) => object;

/** A queue's id, from its address. */
const idIn = (input: Input): string => String(input['QueueUrl']).split('/').at(-1) ?? '';

function queueNamed(id: string, queues: Queues): LocalQueue {
  const queue = queues.get(id);
  if (!queue) throw new AwsError('QueueDoesNotExist', `there is no queue ${id}`);
  return queue;
}

export function listOf(input: Input, name: string): Record<string, unknown>[] {
  const list = input[name];
  if (Array.isArray(list) && list.every((one) => typeof one === 'object' && one !== null)) return list as Record<string, unknown>[];
  throw new AwsError('SerializationException', `${name}: expected a list of objects`);
}

function sendTo(queue: LocalQueue, message: Input, trace: string): object {
  const { messageId, md5 } = queue.send(String(message['MessageBody']), {
    delaySeconds: Number(message['DelaySeconds'] ?? 0),
    attributes: (message['MessageAttributes'] as Record<string, unknown> | undefined) ?? {},
    trace,
  });
  return { MessageId: messageId, MD5OfMessageBody: md5 };
}

/** Moves all messages at once, where the platform takes up to 500 a second. */
function move(source: LocalQueue, destination: LocalQueue): number {
  const messages = source.peek();
  for (const { messageId, body, attributes } of messages) {
    destination.send(body, { attributes });
    source.delete(messageId);
  }
  return messages.length;
}

/** Messages moved by the last task of each queue. */
const moved = new WeakMap<LocalQueue, number>();

export const QUEUE_CALLS: Readonly<Record<string, QueueCall>> = {
  SendMessage: (input, queues, trace) => sendTo(queueNamed(idIn(input), queues), input, trace),
  SendMessageBatch(input, queues, trace) {
    const queue = queueNamed(idIn(input), queues);
    const entries = listOf(input, 'Entries');
    return { Successful: entries.map((entry) => ({ Id: entry['Id'], ...sendTo(queue, entry, trace) })), Failed: [] };
  },
  ReceiveMessage(input, queues) {
    const most = Number(input['MaxNumberOfMessages'] ?? 1);
    const seconds = input['VisibilityTimeout'] === undefined ? undefined : Number(input['VisibilityTimeout']);
    const messages = queueNamed(idIn(input), queues).receive(most, seconds);
    return {
      Messages: messages.map(({ messageId, body, attributes, sentAtMs, receives }) => ({
        MessageId: messageId,
        ReceiptHandle: messageId,
        Body: body,
        MD5OfBody: createHash('md5').update(body).digest('hex'),
        Attributes: { SentTimestamp: String(sentAtMs), ApproximateReceiveCount: String(receives) },
        MessageAttributes: attributes,
      })),
    };
  },
  GetQueueAttributes(input, queues) {
    const queue = queueNamed(idIn(input), queues);
    const dead = queue.dead();
    return {
      Attributes: {
        QueueArn: arnOf(queue.name),
        ApproximateNumberOfMessages: String(queue.visible()),
        ApproximateNumberOfMessagesNotVisible: String(queue.size() - queue.visible()),
        ...(dead === null ? {} : { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf(dead.name) }) }),
      },
    };
  },
  PurgeQueue(input, queues) {
    const queue = queueNamed(idIn(input), queues);
    for (const { messageId } of queue.peek()) queue.delete(messageId);
    return {};
  },
  StartMessageMoveTask(input, queues) {
    const source = queueNamed(idOfArn(input['SourceArn']), queues);
    moved.set(source, move(source, queueNamed(idOfArn(input['DestinationArn']), queues)));
    return { TaskHandle: randomUUID() };
  },
  ListMessageMoveTasks(input, queues) {
    const count = moved.get(queueNamed(idOfArn(input['SourceArn']), queues));
    return { Results: count === undefined ? [] : [{ Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: count, StartedTimestamp: 0 }] };
  },
};

/** The permission that a call needs, and the queues. Sending several messages is sending. */
export function queuePermission(call: string, input: Input): readonly [action: string, resources: readonly string[]] {
  const resources = input['QueueUrl'] === undefined ? [String(input['SourceArn'])] : [arnOf(idIn(input))];
  return [`sqs:${call === 'SendMessageBatch' ? 'SendMessage' : call}`, resources];
}
