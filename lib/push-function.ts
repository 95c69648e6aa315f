import { join } from 'node:path';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, RecursiveLoop, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { System } from '../core/channels/system.ts';
import { ENV, SETTING } from '../core/names.ts';
import type { Settings } from '../core/settings.ts';
import { Alarms } from './alarms.ts';
import type { StageProps } from './stage.ts';

export interface PushFunctionsProps {
  readonly settings: Settings;
  /** Their settings go to every function. */
  readonly systems: readonly System[];
  /** Folder with a bundle for each function. */
  readonly bundles: string;
  readonly stage: StageProps;
}

export interface PushFunctionProps {
  readonly description: string;
  /** The file in `functions/`. @default the function's name */
  readonly file?: string;
  /** The engine's settings that it reads, by name. */
  readonly settings?: readonly string[];
  /** @default 10 seconds */
  readonly timeout?: Duration;
  /** @default 512 MB: more CPU, so that a cold start is short */
  readonly memorySize?: number;
  /** It fills the queue that invokes it, and means it. The platform stops such a loop after some 16 rounds otherwise. @default false */
  readonly loops?: boolean;
}

/**
 * The one way a Lambda function is made: runtime, architecture, source maps, log retention, bundle. The platform's log
 * format stays plain: the lines are JSON already, and metrics in them must reach the logs unwrapped.
 */
export class PushFunctions extends Construct {
  private readonly settings: Settings;
  private readonly common: readonly string[];
  private readonly bundles: string;
  private readonly stage: StageProps;

  constructor(scope: Construct, id: string, { settings, systems, bundles, stage }: PushFunctionsProps) {
    super(scope, id);
    this.settings = settings;
    this.common = [SETTING.logLevel, ...systems.flatMap((system) => system.settings.map(({ name }) => name))];
    this.bundles = bundles;
    this.stage = stage;
    // of all functions of the account: they share its limit
    Alarms.of(this).raise('Throttles', '', { namespace: 'AWS/Lambda', metricName: 'Throttles' });
  }

  make(
    scope: Construct,
    name: string,
    { description, file = name, settings = [], timeout = Duration.seconds(10), memorySize = 512, loops = false }: PushFunctionProps,
  ): LambdaFunction {
    const logGroup = new LogGroup(scope, `${name}-logs`, { retention: this.stage.logRetention, removalPolicy: RemovalPolicy.DESTROY });
    // its own log and nothing else: the managed policy for functions allows every log of the account
    const role = new Role(scope, `${name}-role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com'), description: name });
    logGroup.grantWrite(role);
    const fn = new LambdaFunction(scope, name, {
      description,
      code: Code.fromAsset(join(this.bundles, file)),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout,
      memorySize,
      logGroup,
      role,
      ...(loops ? { recursiveLoop: RecursiveLoop.ALLOW } : {}),
      environment: {
        NODE_OPTIONS: '--enable-source-maps',
        POWERTOOLS_SERVICE_NAME: name,
        [ENV.timeoutSeconds]: String(timeout.toSeconds()),
        ...Object.fromEntries([...this.common, ...settings].map((setting) => [setting, this.settings[setting] ?? ''])),
      },
    });
    Alarms.of(this).raise('FunctionErrors', name, {
      namespace: 'AWS/Lambda',
      metricName: 'Errors',
      dimensions: { FunctionName: fn.functionName },
    });
    return fn;
  }
}
