import { join } from 'node:path';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { SETTING } from '../core/names.ts';

export interface PushFunctionProps {
  readonly description: string;
  /** Settings it reads, by name. */
  readonly settings?: readonly string[];
  /** @default 10 seconds */
  readonly timeout?: Duration;
  /** @default 512 MB: more CPU, so that a cold start is short */
  readonly memorySize?: number;
}

/**
 * The one way a Lambda function is made: runtime, architecture, source maps, log retention, its bundle. The platform's
 * log format stays plain: the lines are JSON already, and metrics in them must reach the logs unwrapped.
 */
export class PushFunctions extends Construct {
  private readonly settings: Readonly<Record<string, string>>;
  private readonly bundles: string;

  constructor(scope: Construct, id: string, props: { settings: Readonly<Record<string, string>>; bundles: string }) {
    super(scope, id);
    this.settings = props.settings;
    this.bundles = props.bundles;
  }

  /** `name` is the file in `functions/`. */
  make(
    scope: Construct,
    name: string,
    { description, settings = [], timeout = Duration.seconds(10), memorySize = 512 }: PushFunctionProps,
  ): LambdaFunction {
    const logGroup = new LogGroup(scope, `${name}-logs`, { retention: RetentionDays.TWO_WEEKS, removalPolicy: RemovalPolicy.DESTROY });
    return new LambdaFunction(scope, name, {
      description,
      code: Code.fromAsset(join(this.bundles, name)),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout,
      memorySize,
      logGroup,
      environment: {
        NODE_OPTIONS: '--enable-source-maps',
        POWERTOOLS_SERVICE_NAME: name,
        ...Object.fromEntries([SETTING.logLevel, ...settings].map((setting) => [setting, this.settings[setting] ?? ''])),
      },
    });
  }
}
