import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AccessLogField, AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { type IAccessLogSettings, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import type { Distribution } from 'aws-cdk-lib/aws-cloudfront';
import { CfnDelivery, CfnDeliveryDestination, CfnDeliverySource, LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { StageProps } from './stage.ts';

/** What a line says. Never the query: it may hold a ticket. */
const API_FIELDS = {
  time: AccessLogField.contextRequestTimeEpoch(),
  method: AccessLogField.contextHttpMethod(),
  path: AccessLogField.contextPath(),
  status: AccessLogField.contextStatus(),
  ms: AccessLogField.contextResponseLatency(),
  bytes: AccessLogField.contextResponseLength(),
  ip: AccessLogField.contextIdentitySourceIp(),
  requestId: AccessLogField.contextRequestId(),
};
const EDGE_FIELDS = [
  'date',
  'time',
  'c-ip',
  'cs-method',
  'cs(Host)',
  'cs-uri-stem',
  'sc-status',
  'sc-bytes',
  'time-taken',
  'x-edge-location',
  'x-edge-result-type',
  'x-edge-request-id',
];

const logGroupOf = (scope: Construct, { logRetention }: StageProps): LogGroup =>
  new LogGroup(scope, 'access-logs', { retention: logRetention, removalPolicy: RemovalPolicy.DESTROY });

/** A line of JSON for each request to an HTTP API. */
export const apiAccessLogs = (scope: Construct, stage: StageProps): IAccessLogSettings => ({
  destination: new LogGroupLogDestination(logGroupOf(scope, stage)),
  format: AccessLogFormat.custom(JSON.stringify(API_FIELDS)),
});

/** CloudFront takes settings for its logs in this region alone. */
const EDGE_LOGS_REGION = 'us-east-1';

/** A line of JSON for each request to a distribution, in the region that has them; never run by us. */
export function edgeAccessLogs(scope: Construct, distribution: Distribution, stage: StageProps): void {
  if (Stack.of(scope).region !== EDGE_LOGS_REGION || !stage.edgeLogs) return;
  const name = `${Stack.of(scope).stackName}-front-door`;
  const source = new CfnDeliverySource(scope, 'LogSource', { name, resourceArn: distribution.distributionArn, logType: 'ACCESS_LOGS' });
  const destination = new CfnDeliveryDestination(scope, 'LogDestination', {
    name,
    destinationResourceArn: logGroupOf(scope, stage).logGroupArn,
    outputFormat: 'json',
  });
  const delivery = new CfnDelivery(scope, 'LogDelivery', {
    deliverySourceName: name,
    deliveryDestinationArn: destination.attrArn,
    recordFields: EDGE_FIELDS,
  });
  delivery.node.addDependency(source);
}
