import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { WebSocketApi, WebSocketStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { WebSocketLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { ENV, IDENTITY_SETTINGS, METRIC, SETTING, SOCKET_STAGE } from '../core/names.ts';
import type { Settings } from '../core/settings.ts';
import { Alarms, ownMetric } from './alarms.ts';
import type { ConnectionMethod, Delivery } from './delivery.ts';
import type { PushFunctions } from './push-function.ts';
import type { Storage } from './storage.ts';

export interface SocketApiProps {
  readonly functions: PushFunctions;
  readonly storage: Storage;
  readonly delivery: Delivery;
  readonly settings: Settings;
}

/** The WebSocket API: its routes, and the grants to post to connections. */
export class SocketApi extends Construct {
  readonly url: string;
  /** Serves clients' messages. */
  readonly message: LambdaFunction;
  readonly connect: LambdaFunction;
  readonly apiId: string;
  private readonly stage: WebSocketStage;
  private readonly callbackUrl: string;

  constructor(scope: Construct, id: string, { functions, storage, delivery, settings }: SocketApiProps) {
    super(scope, id);
    const connect = functions.make(this, 'ws-connect', {
      description: 'Accepts a connection',
      settings: [SETTING.allowedOrigins, SETTING.maxConnections, SETTING.maxConnectionsPerClient, SETTING.pushMode, ...IDENTITY_SETTINGS],
    });
    const message = functions.make(this, 'ws-message', {
      description: "Serves a client's message",
      // a message may name 500 topics, and the gateway waits 29 s
      timeout: Duration.seconds(28),
      settings: [
        SETTING.maxSubscriptions,
        SETTING.maxMessagesPerSecond,
        SETTING.maxConnectionsPerClient,
        SETTING.pingIntervalSeconds,
        SETTING.pushMode,
        ...IDENTITY_SETTINGS,
      ],
    });
    this.connect = connect;
    this.message = message;
    const disconnect = functions.make(this, 'ws-disconnect', { description: 'Deletes a connection' });

    const api = new WebSocketApi(this, 'Api', {
      description: 'Push to clients',
      connectRouteOptions: { integration: new WebSocketLambdaIntegration('Connect', connect) },
      defaultRouteOptions: { integration: new WebSocketLambdaIntegration('Message', message) },
      disconnectRouteOptions: { integration: new WebSocketLambdaIntegration('Disconnect', disconnect) },
    });
    this.apiId = api.apiId;
    this.stage = new WebSocketStage(this, 'Stage', { webSocketApi: api, stageName: SOCKET_STAGE, autoDeploy: true });
    const dimensions = { ApiId: api.apiId, Stage: SOCKET_STAGE };
    Alarms.of(this).raise('SocketErrors', '', { namespace: 'AWS/ApiGateway', metricName: 'IntegrationError', dimensions });
    Alarms.of(this).raise('RefusedConnects', '', ownMetric(METRIC.refusedConnects, 'ws-connect'));
    this.url = this.stage.url;
    const elsewhere = settings[SETTING.callbackEndpoint];
    this.callbackUrl = elsewhere ? elsewhere.replace('{api}', api.apiId).replace('{stage}', SOCKET_STAGE) : this.stage.callbackUrl;

    storage.grant(connect, 'connections', 'BatchGetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query');
    storage.grant(connect, 'subscriptions', 'DeleteItem');
    storage.grant(connect, 'settings', 'GetItem', 'UpdateItem');
    this.grantConnections(connect, 'GET');
    delivery.grantJobs(connect);

    storage.grant(message, 'connections', 'GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem');
    storage.grant(message, 'subscriptions', 'BatchGetItem', 'PutItem', 'UpdateItem', 'DeleteItem');
    storage.grant(message, 'settings', 'GetItem', 'DeleteItem');
    storage.grant(message, 'topics', 'GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem');
    delivery.grantJobs(message);
    this.grantConnections(message, 'POST', 'GET', 'DELETE');

    storage.grant(disconnect, 'connections', 'Query', 'DeleteItem', 'UpdateItem');
    storage.grant(disconnect, 'subscriptions', 'DeleteItem');
  }

  /** Lets a function post to connections of this stage (`POST`), ask for them (`GET`) and close them (`DELETE`). */
  grantConnections(fn: LambdaFunction, ...methods: readonly ConnectionMethod[]): void {
    fn.addEnvironment(ENV.callbackUrl, this.callbackUrl);
    const resources = methods.map((method) =>
      Stack.of(this).formatArn({
        service: 'execute-api',
        resource: `${this.apiId}/${SOCKET_STAGE}/${method}/@connections/*`,
        arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
      }),
    );
    fn.addToRolePolicy(new PolicyStatement({ actions: ['execute-api:ManageConnections'], resources }));
  }
}
