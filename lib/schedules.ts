import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { System } from '../core/channels/system.ts';
import { SETTING } from '../core/names.ts';
import { Alarms } from './alarms.ts';
import type { Delivery } from './delivery.ts';
import type { PushFunctions } from './push-function.ts';
import type { SocketApi } from './socket-api.ts';
import type { Storage } from './storage.ts';

export interface SchedulesProps {
  readonly functions: PushFunctions;
  readonly storage: Storage;
  readonly delivery: Delivery;
  readonly socket: SocketApi;
  readonly systems: readonly System[];
}

/** Every minute: the housekeeping, and the systems' looks. */
export class Schedules extends Construct {
  constructor(scope: Construct, id: string, { functions, storage, delivery, socket, systems }: SchedulesProps) {
    super(scope, id);
    const sweep = functions.make(this, 'sweep', {
      description: 'Closes silent connections, pings those that are due, deletes what is gone',
      settings: [SETTING.maxConnections, SETTING.idleTimeoutSeconds, SETTING.pingIntervalSeconds, SETTING.frontDoor],
      timeout: Duration.seconds(50),
    });
    storage.grant(sweep, 'connections', 'Scan', 'GetItem', 'BatchGetItem', 'Query', 'UpdateItem', 'DeleteItem');
    storage.grant(sweep, 'subscriptions', 'Query', 'BatchGetItem', 'DeleteItem');
    storage.grant(sweep, 'topics', 'GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem');
    delivery.grantJobs(sweep);
    socket.grantConnections(sweep, 'POST', 'DELETE');
    this.everyMinute(sweep);
    const dimensions = { FunctionName: sweep.functionName };
    Alarms.of(this).raise('NotRunning', '', { namespace: 'AWS/Lambda', metricName: 'Invocations', dimensions });

    if (systems.some(({ everyMinute }) => everyMinute)) this.looks(functions, storage, delivery);
  }

  private looks(functions: PushFunctions, storage: Storage, delivery: Delivery): void {
    const minute = functions.make(this, 'minute', {
      description: "Each system's look, once a minute",
      timeout: Duration.seconds(50),
    });
    storage.grant(minute, 'topics', 'GetItem', 'BatchGetItem', 'Query', 'PutItem');
    delivery.grantJobs(minute);
    this.everyMinute(minute);
  }

  private everyMinute(fn: LambdaFunction): void {
    // the next minute does the same: a retry would run beside it
    fn.configureAsyncInvoke({ retryAttempts: 0 });
    new Rule(this, `${fn.node.id}-rule`, {
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaTarget(fn, { retryAttempts: 0 })],
    });
  }
}
