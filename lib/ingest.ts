import { Duration } from 'aws-cdk-lib';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { sourcesOf } from '../core/channels/channels.ts';
import type { System } from '../core/channels/system.ts';
import { DRAIN_TIMEOUT_SECONDS, ENV, SETTING } from '../core/names.ts';
import type { Settings } from '../core/settings.ts';
import { Alarms } from './alarms.ts';
import { type Delivery, DRAIN_SETTINGS, grantDrain } from './delivery.ts';
import type { MessageBodies } from './message-bodies.ts';
import type { PushFunctions } from './push-function.ts';
import type { SocketApi } from './socket-api.ts';
import type { Storage } from './storage.ts';
import { WorkQueue } from './work-queue.ts';

export interface IngestProps {
  readonly functions: PushFunctions;
  readonly storage: Storage;
  readonly delivery: Delivery;
  readonly socket: SocketApi;
  readonly bodies: MessageBodies;
  readonly systems: readonly System[];
  readonly settings: Settings;
}

/** The event bus, a rule for each source, the events queue, and the function that makes events messages. */
export class Ingest extends Construct {
  readonly bus: EventBus;
  private readonly events: WorkQueue;

  constructor(scope: Construct, id: string, { functions, storage, delivery, socket, bodies, systems, settings }: IngestProps) {
    super(scope, id);
    this.bus = new EventBus(this, 'Bus', { description: 'Events to push' });
    this.events = new WorkQueue(this, 'Events', { settings });
    for (const source of sourcesOf(systems.flatMap(({ channels }) => channels))) this.rule(source);

    const ingest = functions.make(this, 'ingest', {
      description: 'Commits events to their topics and delivers them',
      settings: [...DRAIN_SETTINGS, SETTING.maxMessageBytes],
      timeout: Duration.seconds(DRAIN_TIMEOUT_SECONDS),
      memorySize: 1024,
    });
    grantDrain(ingest, storage);
    storage.grant(ingest, 'topics', 'BatchGetItem', 'BatchWriteItem');
    delivery.grantJobs(ingest);
    socket.grantConnections(ingest, 'POST');
    bodies.grantPut(ingest);
    this.events.feed(ingest);
  }

  /** Lets a function publish over these lanes. */
  grantPublish(fn: LambdaFunction, ...lanes: readonly ('bus' | 'direct')[]): void {
    if (lanes.includes('bus')) {
      fn.addEnvironment(ENV.eventBus, this.bus.eventBusName);
      this.bus.grantPutEventsTo(fn);
    }
    if (lanes.includes('direct')) {
      fn.addEnvironment(ENV.eventsQueue, this.events.queue.queueUrl);
      this.events.grantSend(fn);
    }
  }

  private rule(source: string): void {
    const rule = new Rule(this, `Rule-${source}`, {
      eventBus: this.bus,
      description: `${source} to the events queue`,
      eventPattern: { source: [source] },
      targets: [
        new SqsQueue(this.events.queue, { deadLetterQueue: this.events.dead, retryAttempts: 185, maxEventAge: Duration.hours(24) }),
      ],
    });
    const dimensions = { EventBusName: this.bus.eventBusName, RuleName: rule.ruleName };
    Alarms.of(this).raise('Undelivered', source, { namespace: 'AWS/Events', metricName: 'FailedInvocations', dimensions });
  }
}
