import { Duration } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { System } from '../core/channels/system.ts';
import { ENV } from '../core/names.ts';
import type { Settings } from '../core/settings.ts';
import type { Ingest } from './ingest.ts';
import type { PushFunctions } from './push-function.ts';
import type { Storage } from './storage.ts';
import { WorkQueue } from './work-queue.ts';

export interface WorkersProps {
  readonly functions: PushFunctions;
  readonly storage: Storage;
  readonly ingest: Ingest;
  readonly systems: readonly System[];
  readonly settings: Settings;
  /** Function that puts work. */
  readonly caller: LambdaFunction;
}

const LANES = ['bus', 'direct'] as const;

/** A queue and a function for each worker of the systems. */
export class Workers extends Construct {
  constructor(scope: Construct, id: string, { functions, storage, ingest, systems, settings, caller }: WorkersProps) {
    super(scope, id);
    const workers = systems.flatMap((system) => Object.entries(system.workers));
    const urls = workers.map(([name, { timeoutSeconds, uses }]) => {
      const work = new WorkQueue(this, `Work-${name}`, { settings, timeoutSeconds });
      const fn = functions.make(this, `worker-${name}`, {
        description: `Does the work of ${name}`,
        file: 'worker',
        timeout: Duration.seconds(timeoutSeconds),
      });
      fn.addEnvironment(ENV.worker, name);
      if (uses.includes('topic')) storage.grant(fn, 'topics', 'GetItem');
      ingest.grantPublish(fn, ...LANES.filter((lane) => uses.includes(lane)));
      work.feed(fn);
      work.grantSend(caller);
      if (uses.includes('work')) {
        work.grantSend(fn);
        fn.addEnvironment(ENV.workQueues, JSON.stringify({ [name]: work.queue.queueUrl }));
      }
      return `${JSON.stringify(name)}:"${work.queue.queueUrl}"`;
    });
    if (urls.length > 0) caller.addEnvironment(ENV.workQueues, `{${urls.join(',')}}`);
  }
}
