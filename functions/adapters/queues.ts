import { SendMessageBatchCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { cut } from '../../core/base/text.ts';
import { toEnvelope } from '../../core/events/envelope.ts';
import { ENV, REASON_ATTRIBUTE } from '../../core/names.ts';
import type { DeadLetters, Lane } from '../../core/ports/events.ts';
import type { Job, Jobs, Work } from '../../core/ports/jobs.ts';
import { sendInBatches } from './batches.ts';
import { inEnvironmentTime } from './clock.ts';
import { requireEnv, workQueueUrls } from './env.ts';

let shared: SQSClient | undefined;

/** Made once a process, when it is first needed: a bundle without queues does not carry it. */
const client = (): SQSClient => {
  shared ??= inEnvironmentTime(new SQSClient({}));
  return shared;
};

/** SQS delays a message by 15 minutes at most. */
const MAX_DELAY_SECONDS = 900;

export const jobsQueue = (url = requireEnv(ENV.jobsQueue), sqs = client()): Jobs => ({
  async put(job: Job, delaySeconds = 0) {
    await sqs.send(
      new SendMessageCommand({ QueueUrl: url, MessageBody: JSON.stringify(job), DelaySeconds: Math.min(delaySeconds, MAX_DELAY_SECONDS) }),
    );
  },
});

/** The queues of the systems' workers. */
export const workQueues = (urls = workQueueUrls(), sqs = client()): Work => ({
  async put(worker, work, delaySeconds = 0) {
    const QueueUrl = Object.hasOwn(urls, worker) ? urls[worker] : undefined;
    if (QueueUrl === undefined) throw new Error(`there is no worker ${worker}`);
    await sqs.send(
      new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(work), DelaySeconds: Math.min(delaySeconds, MAX_DELAY_SECONDS) }),
    );
  },
});

/** The lane past the bus, straight onto the queue that the bus's rules fill. */
export const directLane = (url = requireEnv(ENV.eventsQueue), sqs = client()): Lane => ({
  send: (events) =>
    sendInBatches(
      events,
      (event) => JSON.stringify(toEnvelope(event)),
      async (bodies) => {
        const { Failed = [] } = await sqs.send(
          new SendMessageBatchCommand({ QueueUrl: url, Entries: bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody })) }),
        );
        return Failed.map(({ Id }) => Number(Id));
      },
    ),
});

/** The queue takes no control characters in attributes, and the reason may quote the record. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e\u00a0-\ud7ff]/g, '?');

/** The dead-letter queue of the queue that feeds this function, with the reason beside each record. */
export const deadLetters = (url = requireEnv(ENV.deadLettersQueue), sqs = client()): DeadLetters => ({
  async bury(body, reason) {
    const text = { DataType: 'String', StringValue: printable(cut(reason, 1000)) };
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: body, MessageAttributes: { [REASON_ATTRIBUTE]: text } }));
  },
});
