/** AWS Signature Version 4 for the one request that fan-out makes in its thousands: a POST or DELETE with a body. */
import { createHash, createHmac } from 'node:crypto';

export interface Credentials {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
}

export interface Signable {
  readonly method: string;
  readonly host: string;
  /** As it goes over the wire; it is encoded once more for the signature. */
  readonly path: string;
  /** `bodyHash` of the body. */
  readonly bodyHash: string;
}

export const bodyHash = (body: string): string => createHash('sha256').update(body).digest('hex');

/** Signs for one service with one set of credentials. The day's key is derived once. */
export function signer(service: string, { region, accessKeyId, secretAccessKey, sessionToken }: Credentials) {
  let day = '';
  let key: Buffer = Buffer.alloc(0);
  const hmac = (secret: string | Buffer, text: string): Buffer => createHmac('sha256', secret).update(text).digest();

  return ({ method, host, path, bodyHash: hash }: Signable, nowMs: number): Record<string, string> => {
    const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
    const date = stamp.slice(0, 8);
    if (date !== day) {
      key = [region, service, 'aws4_request'].reduce(hmac, hmac(`AWS4${secretAccessKey}`, date));
      day = date;
    }
    const canonicalPath = path.split('/').map(encodeSegment).join('/');
    const token = sessionToken === null ? '' : `x-amz-security-token:${sessionToken}\n`;
    const signed = sessionToken === null ? 'host;x-amz-date' : 'host;x-amz-date;x-amz-security-token';
    const canonical = `${method}\n${canonicalPath}\n\nhost:${host}\nx-amz-date:${stamp}\n${token}\n${signed}\n${hash}`;
    const scope = `${date}/${region}/${service}/aws4_request`;
    const signature = hmac(key, `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${bodyHash(canonical)}`).toString('hex');
    return {
      host,
      'x-amz-date': stamp,
      ...(sessionToken === null ? {} : { 'x-amz-security-token': sessionToken }),
      authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`,
    };
  };
}

/** RFC 3986: what encodeURIComponent leaves alone, the signature does not. */
const encodeSegment = (segment: string): string =>
  encodeURIComponent(segment).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
