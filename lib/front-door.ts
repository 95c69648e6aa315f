import { fileURLToPath } from 'node:url';
import { Duration, Stack } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  type BehaviorOptions,
  CachePolicy,
  Function as CloudFrontFunction,
  Distribution,
  FunctionCode,
  FunctionEventType,
  FunctionRuntime,
  HeadersFrameOption,
  HeadersReferrerPolicy,
  HttpVersion,
  OriginRequestPolicy,
  ResponseHeadersPolicy,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { FunctionUrlOrigin, HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { ENV, FRONT_DOOR_HEADER, SETTING, SOCKET_STAGE } from '../core/names.ts';
import type { Settings } from '../core/settings.ts';
import { edgeAccessLogs } from './access-logs.ts';
import type { EventStreams } from './event-streams.ts';
import type { HttpFront } from './http-api.ts';
import { ASSETS, CLIENT, type Page } from './page.ts';
import type { SocketApi } from './socket-api.ts';
import type { StageProps } from './stage.ts';

export interface FrontDoorProps {
  readonly socket: SocketApi;
  readonly http: HttpFront;
  readonly page: Page;
  /** `null` = the HTTP API serves the streams, in their finite form. */
  readonly streams: EventStreams | null;
  readonly streamPaths: readonly string[];
  readonly settings: Settings;
  readonly stage: StageProps;
}

const VIEWER_REQUEST = fileURLToPath(new URL('viewer-request.js', import.meta.url));

/** What the page may load and reach: its own host and nothing else. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** One address for everything: a CloudFront distribution before the WebSocket API, the HTTP API and the event streams. */
export class FrontDoor extends Construct {
  readonly url: string;

  constructor(scope: Construct, id: string, { socket, http, page, streams, streamPaths, settings, stage }: FrontDoorProps) {
    super(scope, id);
    const originKey = new Secret(this, 'OriginKey', {
      description: 'Proves to the APIs that a request came through the front door',
      generateSecretString: { passwordLength: 40, excludePunctuation: true },
    }).secretValue.unsafeUnwrap();
    for (const fn of [socket.connect, http.rest, page.function]) fn.addEnvironment(ENV.originKey, originKey);

    const { region, urlSuffix } = Stack.of(this);
    const apiOrigin = (apiId: string) =>
      new HttpOrigin(`${apiId}.execute-api.${region}.${urlSuffix}`, { customHeaders: { [FRONT_DOOR_HEADER.originKey]: originKey } });
    const common = {
      viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      allowedMethods: AllowedMethods.ALLOW_ALL,
      cachePolicy: CachePolicy.CACHING_DISABLED,
      // an API answers 403 to any host but its own
      originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
      responseHeadersPolicy: this.securityHeaders(),
      compress: false,
    };
    const viewerRequest = new CloudFrontFunction(this, 'ViewerRequest', {
      comment: "Keeps what an origin's address and signature take from a request",
      code: FunctionCode.fromFile({ filePath: VIEWER_REQUEST }),
      runtime: FunctionRuntime.JS_2_0,
    });
    const kept = { functionAssociations: [{ function: viewerRequest, eventType: FunctionEventType.VIEWER_REQUEST }] };
    const api = { ...common, origin: apiOrigin(http.apiId), compress: true };
    const cached = { ...api, cachePolicy: CachePolicy.CACHING_OPTIMIZED, allowedMethods: AllowedMethods.ALLOW_GET_HEAD };
    const streamOrigin = streams === null ? null : FunctionUrlOrigin.withOriginAccessControl(streams.functionUrl);
    const behaviors: Record<string, BehaviorOptions> = {
      // exactly this path: the stage's name, and nothing beneath it, where the connections have their addresses
      [`/${SOCKET_STAGE}`]: { ...common, origin: apiOrigin(socket.apiId), ...kept },
      ...(streamOrigin === null ? {} : Object.fromEntries(streamPaths.map((path) => [path, { ...common, origin: streamOrigin, ...kept }]))),
      '/': cached,
      [ASSETS]: cached,
      [CLIENT]: cached,
    };
    const domain = settings[SETTING.domainName];
    const distribution = new Distribution(this, 'Distribution', {
      comment: `${Stack.of(this).stackName}: WebSocket, REST, event streams, page`,
      defaultBehavior: api,
      additionalBehaviors: behaviors,
      httpVersion: HttpVersion.HTTP2_AND_3,
      ...(domain
        ? {
            domainNames: [domain],
            minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
            certificate: Certificate.fromCertificateArn(this, 'Certificate', settings[SETTING.certificateArn] ?? ''),
          }
        : {}),
      ...(settings[SETTING.webAclArn] ? { webAclId: settings[SETTING.webAclArn] } : {}),
    });
    edgeAccessLogs(this, distribution, stage);
    this.url = `https://${domain || distribution.distributionDomainName}`;
  }

  private securityHeaders(): ResponseHeadersPolicy {
    return new ResponseHeadersPolicy(this, 'SecurityHeaders', {
      comment: 'Security headers of every response',
      securityHeadersBehavior: {
        contentSecurityPolicy: { contentSecurityPolicy: CONTENT_SECURITY_POLICY, override: true },
        contentTypeOptions: { override: true },
        frameOptions: { frameOption: HeadersFrameOption.DENY, override: true },
        referrerPolicy: { referrerPolicy: HeadersReferrerPolicy.NO_REFERRER, override: true },
        strictTransportSecurity: { accessControlMaxAge: Duration.days(365), includeSubdomains: true, override: true },
      },
    });
  }
}
