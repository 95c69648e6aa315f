import { Duration } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { DRAIN_TIMEOUT_SECONDS, ENV, SETTING, TURN_SECONDS } from '../core/names.ts';
import { numberOf, type Settings } from '../core/settings.ts';
import { Alarms } from './alarms.ts';

/**
 * A message may be received this often before it goes to the dead-letter queue: 58 minutes of being received every 35 s, on the
 * engine's queues. Receives count for a throttled function too, which never saw the message; the function itself buries a message
 * that cannot succeed.
 */
const MAX_RECEIVES = 100;

/** A killed function's message comes back this long after its time. */
const SLACK_SECONDS = 5;

/** More workers at once would only wait for the account's post quota. */
const MAX_CONCURRENCY = 50;
/** Less is not possible for a mapping. */
const MIN_CONCURRENCY = 2;

export interface WorkQueueProps {
  readonly settings: Settings;
  /** Of the function that takes its messages. @default a drain's, and its turn */
  readonly timeoutSeconds?: number;
}

/** A queue with a dead-letter queue. A function takes its messages in small batches, without waiting for full ones. */
export class WorkQueue extends Construct {
  readonly queue: Queue;
  readonly dead: Queue;

  private readonly maxConcurrency: number;

  constructor(scope: Construct, id: string, { settings, timeoutSeconds = DRAIN_TIMEOUT_SECONDS + TURN_SECONDS }: WorkQueueProps) {
    super(scope, id);
    const share = Math.floor(numberOf(settings, SETTING.accountConcurrency) / 10);
    this.maxConcurrency = Math.max(MIN_CONCURRENCY, Math.min(MAX_CONCURRENCY, share));
    this.dead = new Queue(this, 'Dead', { retentionPeriod: Duration.days(14), encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true });
    this.queue = new Queue(this, 'Queue', {
      // a killed worker's message must come back after its turn has expired: it would find a valid turn, and be lost
      visibilityTimeout: Duration.seconds(timeoutSeconds + SLACK_SECONDS),
      deadLetterQueue: { queue: this.dead, maxReceiveCount: MAX_RECEIVES },
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });
    this.watch(id);
  }

  private watch(what: string): void {
    const alarms = Alarms.of(this);
    const of = (queue: Queue, metricName: string) => ({ namespace: 'AWS/SQS', metricName, dimensions: { QueueName: queue.queueName } });
    alarms.raise('DeadLetters', what, of(this.dead, 'ApproximateNumberOfMessagesVisible'));
    alarms.raise('OldestMessage', what, of(this.queue, 'ApproximateAgeOfOldestMessage'));
    alarms.raise('InFlight', what, of(this.queue, 'ApproximateNumberOfMessagesNotVisible'));
  }

  /** Lets a function put messages. */
  grantSend(fn: LambdaFunction): void {
    grantSend(this.queue, fn);
  }

  /** Has a function take the messages. It may put what can never be served into the dead-letter queue itself. */
  feed(fn: LambdaFunction): void {
    // what polling needs: CDK's own grant is wider
    this.queue.grant(fn, 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes');
    fn.addEnvironment(ENV.deadLettersQueue, this.dead.queueUrl);
    grantSend(this.dead, fn);
    fn.addEventSourceMapping(`${this.node.path.replaceAll('/', '-')}-mapping`, {
      eventSourceArn: this.queue.queueArn,
      batchSize: 10,
      reportBatchItemFailures: true,
      maxConcurrency: this.maxConcurrency,
    });
  }
}

const grantSend = (queue: Queue, fn: LambdaFunction): void => void queue.grant(fn, 'sqs:SendMessage');
