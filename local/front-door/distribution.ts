/** `AWS::CloudFront::Distribution`: which origin gets a request, and with which headers. */
import type { Resolve, Resource, Template } from '../base/template.ts';
import { type ViewerFunction, viewerFunction } from './viewer-function.ts';

/** The managed policy that passes on everything but the viewer's `Host`. */
const ALL_VIEWER_EXCEPT_HOST = 'b689b0a8-53d0-40ab-baf2-68738e2966ac';

export interface DistributionOrigin {
  readonly domain: string;
  /** Added to each request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Requests are signed, and lose their own `Authorization`. */
  readonly signs: boolean;
}

export interface Behavior {
  /** Whether it serves a path. */
  matches(path: string): boolean;
  readonly origin: DistributionOrigin;
  readonly methods: readonly string[];
  readonly viewerRequest: ViewerFunction | null;
  /** Of every response. */
  readonly responseHeaders: Readonly<Record<string, string>>;
  /** The origin gets the viewer's `Host`, and not its own. */
  readonly passesHost: boolean;
}

interface CacheBehavior {
  readonly PathPattern?: string;
  readonly TargetOriginId: string;
  readonly AllowedMethods?: readonly string[];
  readonly OriginRequestPolicyId?: string;
  readonly ResponseHeadersPolicyId?: string;
  readonly FunctionAssociations?: readonly { readonly EventType: string; readonly FunctionARN: string }[];
}

interface DistributionConfig {
  readonly Origins: readonly {
    readonly Id: string;
    readonly DomainName: string;
    readonly OriginAccessControlId?: string;
    readonly OriginCustomHeaders?: readonly { readonly HeaderName: string; readonly HeaderValue: string }[];
  }[];
  readonly CacheBehaviors?: readonly CacheBehavior[];
  readonly DefaultCacheBehavior: CacheBehavior;
}

/** The behaviours of the template's distribution in the order of their precedence, the default one last; `null` if it has none. */
export function readDistribution(template: Template, resolve: Resolve): readonly Behavior[] | null {
  const [distribution] = template.ofType('AWS::CloudFront::Distribution');
  if (!distribution) return null;
  const config = resolve<DistributionConfig>(distribution.properties['DistributionConfig']);
  const origins = new Map(
    config.Origins.map(({ Id, DomainName, OriginAccessControlId, OriginCustomHeaders = [] }) => [
      Id,
      {
        domain: DomainName,
        headers: Object.fromEntries(OriginCustomHeaders.map(({ HeaderName, HeaderValue }) => [HeaderName.toLowerCase(), HeaderValue])),
        signs: OriginAccessControlId !== undefined,
      },
    ]),
  );
  const named = (type: string, reference: string | undefined): Resource | undefined =>
    template.ofType(type).find(({ id }) => reference !== undefined && (reference === id || reference.endsWith(`:${id}`)));
  return [...(config.CacheBehaviors ?? []), config.DefaultCacheBehavior].map((behavior) => {
    const origin = origins.get(behavior.TargetOriginId);
    if (!origin) throw new Error(`the distribution has no origin ${behavior.TargetOriginId}`);
    const association = behavior.FunctionAssociations?.find(({ EventType }) => EventType === 'viewer-request');
    const code = named('AWS::CloudFront::Function', association?.FunctionARN)?.properties['FunctionCode'];
    const policy = named('AWS::CloudFront::ResponseHeadersPolicy', behavior.ResponseHeadersPolicyId);
    const pattern = behavior.PathPattern === undefined ? null : patternOf(behavior.PathPattern);
    return {
      matches: (path) => pattern === null || pattern.test(path),
      origin,
      methods: behavior.AllowedMethods ?? ['GET', 'HEAD'],
      viewerRequest: typeof code === 'string' ? viewerFunction(code) : null,
      responseHeaders: policy ? headersOf(resolve<HeadersPolicy>(policy.properties['ResponseHeadersPolicyConfig'])) : {},
      passesHost: behavior.OriginRequestPolicyId !== ALL_VIEWER_EXCEPT_HOST,
    };
  });
}

/** `*` stands for any characters, `?` for one. */
const patternOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );

interface HeadersPolicy {
  readonly SecurityHeadersConfig?: {
    readonly ContentSecurityPolicy?: { readonly ContentSecurityPolicy: string };
    readonly ContentTypeOptions?: object;
    readonly FrameOptions?: { readonly FrameOption: string };
    readonly ReferrerPolicy?: { readonly ReferrerPolicy: string };
    readonly StrictTransportSecurity?: { readonly AccessControlMaxAgeSec: number; readonly IncludeSubdomains?: boolean };
  };
}

function headersOf({ SecurityHeadersConfig: security = {} }: HeadersPolicy): Record<string, string> {
  const { ContentSecurityPolicy, ContentTypeOptions, FrameOptions, ReferrerPolicy, StrictTransportSecurity: transport } = security;
  return {
    ...(ContentSecurityPolicy ? { 'content-security-policy': ContentSecurityPolicy.ContentSecurityPolicy } : {}),
    ...(ContentTypeOptions ? { 'x-content-type-options': 'nosniff' } : {}),
    ...(FrameOptions ? { 'x-frame-options': FrameOptions.FrameOption } : {}),
    ...(ReferrerPolicy ? { 'referrer-policy': ReferrerPolicy.ReferrerPolicy } : {}),
    ...(transport
      ? {
          'strict-transport-security': `max-age=${transport.AccessControlMaxAgeSec}${transport.IncludeSubdomains ? '; includeSubDomains' : ''}`,
        }
      : {}),
  };
}
