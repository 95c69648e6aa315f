/** A running emulator, and clients for it. */
import { readFileSync } from 'node:fs';
import { Agent as HttpsAgent } from 'node:https';
import type { Emulator } from './emulators.ts';

export interface Target {
  readonly emulator: Emulator;
  readonly endpoint: string;
  /** The file with the certificate to trust; `null` = the machine's are enough. */
  readonly certificate: string | null;
}

export const ACCOUNT = '000000000000';
export const REGION = 'us-east-1';
/** An emulator takes these for the owner of its account. */
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

/** What an AWS program needs to reach the emulator instead of AWS. */
export const environmentOf = ({ endpoint, certificate }: Target): Record<string, string> => ({
  AWS_ENDPOINT_URL: endpoint,
  AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  AWS_REGION: REGION,
  ...(certificate === null ? {} : { AWS_CA_BUNDLE: certificate, NODE_EXTRA_CA_CERTS: certificate }),
});

/** The certificate's text. */
export const trusted = ({ certificate }: Target): string | null => (certificate === null ? null : readFileSync(certificate, 'utf8'));

/** Options of an SDK client for the emulator. */
export function clientOptions(target: Target) {
  const ca = trusted(target);
  return {
    endpoint: target.endpoint,
    region: REGION,
    credentials: CREDENTIALS,
    ...(ca === null ? {} : { requestHandler: { httpsAgent: new HttpsAgent({ ca }) } }),
  };
}
