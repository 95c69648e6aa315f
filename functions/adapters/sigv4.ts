/** AWS Signature Version 4, for requests of our own: fan-out's posts, and bodies in a bucket. */
import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';

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

export const bodyHash = (body: string): string => hash('sha256', body, 'hex');

/** Signs for one service with one set of credentials. Parts that last a second or a day are made once. */
export function signer(service: string, { region, accessKeyId, secretAccessKey, sessionToken }: Credentials) {
  const hmac = (secret: string | Buffer, text: string): Buffer => createHmac('sha256', secret).update(text).digest();
  const tokenLine = sessionToken === null ? '' : `x-amz-security-token:${sessionToken}\n`;
  // buckets need the body's hash as a header, and all such headers signed
  const sendsHash = service === 's3';
  const signed = `host${sendsHash ? ';x-amz-content-sha256' : ''};x-amz-date${sessionToken === null ? '' : ';x-amz-security-token'}`;
  const tokenHeader: Record<string, string> = sessionToken === null ? {} : { 'x-amz-security-token': sessionToken };
  let second = -1;
  let stamp = '';
  let scope = '';
  let key: KeyObject = createSecretKey(Buffer.from('-'));

  const turnTo = (nowMs: number): void => {
    stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
    const day = stamp.slice(0, 8);
    if (!scope.startsWith(day)) {
      scope = `${day}/${region}/${service}/aws4_request`;
      key = createSecretKey([region, service, 'aws4_request'].reduce(hmac, hmac(`AWS4${secretAccessKey}`, day)));
    }
    second = Math.floor(nowMs / 1000);
  };

  return ({ method, host, path, bodyHash: payload }: Signable, nowMs: number): Record<string, string> => {
    if (Math.floor(nowMs / 1000) !== second) turnTo(nowMs);
    const canonicalPath = path.split('/').map(encodeSegment).join('/');
    const hashLine = sendsHash ? `x-amz-content-sha256:${payload}\n` : '';
    const canonical = `${method}\n${canonicalPath}\n\nhost:${host}\n${hashLine}x-amz-date:${stamp}\n${tokenLine}\n${signed}\n${payload}`;
    const signature = createHmac('sha256', key)
      .update(`AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${hash('sha256', canonical, 'hex')}`)
      .digest('hex');
    return {
      host,
      'x-amz-date': stamp,
      ...(sendsHash ? { 'x-amz-content-sha256': payload } : {}),
      ...tokenHeader,
      authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`,
    };
  };
}

/** RFC 3986: the signature also encodes characters that encodeURIComponent leaves. */
const encodeSegment = (segment: string): string =>
  encodeURIComponent(segment).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
