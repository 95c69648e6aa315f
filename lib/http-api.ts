import { Duration } from 'aws-cdk-lib';
import { type CfnStage, HttpApi, HttpMethod, HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { type CfnSecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct, type IConstruct } from 'constructs';
import { ENV, IDENTITY_SETTINGS, INTERNAL_PATHS, SETTING } from '../core/names.ts';
import { numberOf, type Settings } from '../core/settings.ts';
import { apiAccessLogs } from './access-logs.ts';
import { Alarms } from './alarms.ts';
import type { Delivery } from './delivery.ts';
import type { Ingest } from './ingest.ts';
import type { MessageBodies } from './message-bodies.ts';
import type { PushFunctions } from './push-function.ts';
import type { StageProps } from './stage.ts';
import type { Storage } from './storage.ts';

export interface HttpFrontProps {
  readonly functions: PushFunctions;
  readonly storage: Storage;
  readonly delivery: Delivery;
  readonly ingest: Ingest;
  readonly bodies: MessageBodies;
  readonly settings: Settings;
  readonly stage: StageProps;
}

/** The HTTP API. The function does the routing, so that every response has one form. */
export class HttpFront extends Construct {
  readonly url: string;
  readonly rest: LambdaFunction;
  private readonly api: HttpApi;
  /** ARN of the secret with the publish key. It can be rotated at any time: the previous key stays valid. */
  readonly publishKeyArn: string;

  constructor(scope: Construct, id: string, { functions, storage, delivery, ingest, bodies, settings, stage }: HttpFrontProps) {
    super(scope, id);
    const publishKey = new Secret(this, 'PublishKey', {
      description: 'Key for POST /internal/events',
      generateSecretString: { passwordLength: 40, excludePunctuation: true },
    });
    // its ARN under its own name: emulators resolve a plain reference to the secret's name, which no policy matches
    this.publishKeyArn = (publishKey.node.defaultChild as CfnSecret).attrId;
    this.rest = functions.make(this, 'rest', {
      description: 'REST: routes of the systems, registrations, health, publishing',
      // a second less than API Gateway waits: a request of 500 events must not be cut off on a slow day
      timeout: Duration.seconds(29),
      settings: [SETTING.maxMessageBytes, SETTING.pushMode, SETTING.allowedOrigins, ...IDENTITY_SETTINGS],
    });
    const { rest } = this;
    storage.grant(rest, 'topics', 'GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem');
    storage.grant(rest, 'settings', 'GetItem', 'PutItem', 'UpdateItem', 'DeleteItem');
    storage.grant(rest, 'connections', 'BatchGetItem', 'GetItem');
    delivery.grantJobs(rest);
    ingest.grantPublish(rest, 'bus', 'direct');
    bodies.grantRead(rest);
    this.grantKeys(rest);

    // every path that has no route of its own
    this.api = new HttpApi(this, 'Api', {
      description: 'Push: REST',
      createDefaultStage: false,
      defaultIntegration: new HttpLambdaIntegration('Rest', rest),
    });
    const internal = this.route(INTERNAL_PATHS, HttpMethod.ANY, rest);
    const rateLimit = numberOf(settings, SETTING.httpRequestsPerSecond);
    const stageOfApi = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      autoDeploy: true,
      accessLogSettings: apiAccessLogs(this, stage),
      // the account's requests are shared with the posts to connections: a flood here must leave them theirs
      throttle: { rateLimit, burstLimit: rateLimit },
    });
    const most = numberOf(settings, SETTING.internalRequestsPerSecond);
    const cfnStage = stageOfApi.node.defaultChild as CfnStage;
    cfnStage.routeSettings = { [internal.routeKey]: { ThrottlingRateLimit: most, ThrottlingBurstLimit: most } };
    // it names the route
    stageOfApi.node.addDependency(internal.route);
    Alarms.of(this).raise('ApiErrors', '', { namespace: 'AWS/ApiGateway', metricName: '5xx', dimensions: { ApiId: this.api.apiId } });
    this.url = this.api.apiEndpoint;
  }

  get apiId(): string {
    return this.api.apiId;
  }

  /** Lets a function read the publish keys. */
  grantKeys(fn: LambdaFunction): void {
    fn.addEnvironment(ENV.publishKeySecret, this.publishKeyArn);
    fn.addToRolePolicy(new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [this.publishKeyArn] }));
  }

  /** Lets a function serve a path. */
  route(path: string, method: HttpMethod, fn: LambdaFunction): { readonly route: IConstruct; readonly routeKey: string } {
    const [route] = this.api.addRoutes({ path, methods: [method], integration: new HttpLambdaIntegration(fn.node.id, fn) });
    if (!route) throw new Error(`no route for ${path}`);
    return { route, routeKey: `${method} ${path}` };
  }
}
