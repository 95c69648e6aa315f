/** The front door: what CloudFront passes where, and what it must never do. */
import { readFileSync } from 'node:fs';
import { describe, expect, inject, test } from 'vitest';
import { channels } from '../helpers/ports.ts';

interface Behavior {
  PathPattern?: string;
  TargetOriginId: string;
  OriginRequestPolicyId: string;
  CachePolicyId: string;
  Compress: boolean;
  ViewerProtocolPolicy: string;
}
interface Config {
  Origins: {
    Id: string;
    OriginPath?: string;
    OriginCustomHeaders?: { HeaderName: string; HeaderValue: unknown }[];
    OriginAccessControlId?: unknown;
  }[];
  CacheBehaviors: Behavior[];
  DefaultCacheBehavior: Behavior;
  Aliases?: string[];
  WebACLId?: string;
  ViewerCertificate?: { AcmCertificateArn?: string };
}

const ALL_VIEWER_EXCEPT_HOST = 'b689b0a8-53d0-40ab-baf2-68738e2966ac';
const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad';

const text = readFileSync(inject('templateFile'), 'utf8');
const resources = Object.values(
  (JSON.parse(text) as { Resources: Record<string, { Type: string; Properties: Record<string, unknown> }> }).Resources,
);
const config = resources.find(({ Type }) => Type === 'AWS::CloudFront::Distribution')?.Properties['DistributionConfig'] as Config;
const behaviors = [...config.CacheBehaviors, config.DefaultCacheBehavior];
const streams = channels.all.flatMap(({ http }) => http?.stream ?? []);

/** Files that a cache may keep. */
const FILES = ['/', '/assets/*', '/client.js'];

describe('the distribution', () => {
  test('leads exactly /ws to the WebSocket API, each stream to the function, and what is left to the HTTP API', () => {
    expect(config.CacheBehaviors.map(({ PathPattern }) => PathPattern)).toEqual(['/ws', ...streams, ...FILES]);
    expect(config.Origins.map(({ OriginPath }) => OriginPath)).toEqual(config.Origins.map(() => undefined));
  });

  test("never passes on the viewer's Host, which an API answers with 403", () => {
    expect(behaviors.map(({ OriginRequestPolicyId }) => OriginRequestPolicyId)).toEqual(behaviors.map(() => ALL_VIEWER_EXCEPT_HOST));
  });

  test('keeps no stream and no response of the API, and holds none back to compress it', () => {
    for (const { PathPattern, CachePolicyId, Compress } of behaviors) {
      if (!FILES.includes(PathPattern ?? '')) expect(CachePolicyId).toBe(CACHING_DISABLED);
      if (streams.includes(PathPattern ?? '')) expect(Compress).toBe(false);
    }
    // it would end every stream
    expect(text).not.toContain('ResponseCompletionTimeout');
  });

  test('proves itself to each origin: by a secret, or by its signature', () => {
    for (const { OriginCustomHeaders = [], OriginAccessControlId } of config.Origins) {
      if (OriginAccessControlId !== undefined) continue;
      expect(OriginCustomHeaders.map(({ HeaderName }) => HeaderName)).toEqual(['x-push-origin-key']);
      expect(JSON.stringify(OriginCustomHeaders)).toContain('{{resolve:secretsmanager:');
    }
    expect(config.Origins.filter(({ OriginAccessControlId }) => OriginAccessControlId !== undefined)).toHaveLength(1);
  });

  test('is reached over TLS alone', () => {
    for (const { ViewerProtocolPolicy } of behaviors) expect(ViewerProtocolPolicy).toBe('redirect-to-https');
  });
});

test('the function URL lets in signed requests alone', () => {
  const url = resources.find(({ Type }) => Type === 'AWS::Lambda::Url')?.Properties;

  expect(url).toMatchObject({ AuthType: 'AWS_IAM', InvokeMode: 'RESPONSE_STREAM' });
});
