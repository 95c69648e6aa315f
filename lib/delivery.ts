import { Duration } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { DRAIN_TIMEOUT_SECONDS, ENV, SETTING } from '../core/names.ts';
import type { Settings } from '../core/settings.ts';
import type { PushFunctions } from './push-function.ts';
import type { Storage } from './storage.ts';
import { WorkQueue } from './work-queue.ts';

export interface DeliveryProps {
  readonly functions: PushFunctions;
  readonly storage: Storage;
  readonly settings: Settings;
}

/** Requests that a function may send to a connection's address. */
export type ConnectionMethod = 'POST' | 'GET' | 'DELETE';

/** Settings of a function that drains. */
export const DRAIN_SETTINGS = [SETTING.maxBroadcastsPerSecond] as const;

/** The jobs queue, and the function that does its jobs: drains, greetings, pings, signs of life. */
export class Delivery extends Construct {
  private readonly jobs: WorkQueue;
  private readonly fanOut: LambdaFunction;

  constructor(scope: Construct, id: string, { functions, storage, settings }: DeliveryProps) {
    super(scope, id);
    this.jobs = new WorkQueue(this, 'Jobs', { settings });
    this.fanOut = functions.make(this, 'fan-out', {
      description: 'Drains topics to their audience; greets and pings connections',
      settings: DRAIN_SETTINGS,
      timeout: Duration.seconds(DRAIN_TIMEOUT_SECONDS),
      memorySize: 1024,
      // a busy topic's drain is handed on to a job as long as events come
      loops: true,
    });
    grantDrain(this.fanOut, storage);
    // to see whether a STOMP client's CONNECT has come
    storage.grant(this.fanOut, 'connections', 'GetItem');
    this.grantJobs(this.fanOut);
    this.jobs.feed(this.fanOut);
  }

  /** Lets a function ask for jobs. */
  grantJobs(fn: LambdaFunction): void {
    fn.addEnvironment(ENV.jobsQueue, this.jobs.queue.queueUrl);
    this.jobs.grantSend(fn);
  }

  /** The socket is made after the queue that its functions fill. */
  postThrough(socket: { grantConnections(fn: LambdaFunction, ...methods: readonly ConnectionMethod[]): void }): void {
    socket.grantConnections(this.fanOut, 'POST', 'GET', 'DELETE');
  }
}

/** Grants what a drain does to the tables. */
export function grantDrain(fn: LambdaFunction, storage: Storage): void {
  storage.grant(fn, 'topics', 'GetItem', 'Query', 'UpdateItem');
  storage.grant(fn, 'subscriptions', 'Query', 'UpdateItem', 'DeleteItem');
  storage.grant(fn, 'connections', 'Query', 'UpdateItem', 'DeleteItem');
  storage.grant(fn, 'settings', 'DeleteItem');
}
