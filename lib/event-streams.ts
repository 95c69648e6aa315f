import { Duration } from 'aws-cdk-lib';
import { type FunctionUrl, FunctionUrlAuthType, InvokeMode } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { IDENTITY_SETTINGS, SETTING } from '../core/names.ts';
import type { Settings } from '../core/settings.ts';
import type { PushFunctions } from './push-function.ts';
import type { Storage } from './storage.ts';

export interface EventStreamsProps {
  readonly functions: PushFunctions;
  readonly storage: Storage;
  readonly settings: Settings;
  /** Only the front door may call. */
  readonly behindFrontDoor: boolean;
}

/** Time of the function beyond the stream's own. */
const SLACK_SECONDS = 10;

/** Server-Sent Events: a function URL, because an HTTP API cannot stream. The function asks callers for a token. */
export class EventStreams extends Construct {
  readonly functionUrl: FunctionUrl;

  constructor(scope: Construct, id: string, { functions, storage, settings, behindFrontDoor }: EventStreamsProps) {
    super(scope, id);
    const sse = functions.make(this, 'sse', {
      description: 'Streams topics as Server-Sent Events',
      settings: [SETTING.sseSeconds, SETTING.sseMaxStreams, SETTING.pushMode, SETTING.allowedOrigins, ...IDENTITY_SETTINGS],
      timeout: Duration.seconds(Number(settings[SETTING.sseSeconds]) + SLACK_SECONDS),
      // it mostly waits, and costs by the second for as long as its client stays
      memorySize: 192,
    });
    storage.grant(sse, 'topics', 'GetItem', 'Query', 'UpdateItem');
    storage.grant(sse, 'connections', 'GetItem', 'UpdateItem');
    storage.grant(sse, 'settings', 'GetItem', 'PutItem', 'UpdateItem', 'DeleteItem');
    this.functionUrl = sse.addFunctionUrl({
      // the front door signs its requests
      authType: behindFrontDoor ? FunctionUrlAuthType.AWS_IAM : FunctionUrlAuthType.NONE,
      invokeMode: InvokeMode.RESPONSE_STREAM,
    });
  }
}
