/** Bodies in a bucket, against a server that fails on purpose. */
import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bucketBodies } from '../../../functions/adapters/bodies.ts';
import { close, listen } from '../../../local/base/listen.ts';

const CREDENTIALS = { region: 'ap-northeast-2', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI', sessionToken: 'token' };
const BODY = { topic: 'ops:alert', payload: { type: 'alert', data: { message: '가' } }, expiresAtMs: 2_000 };

let server: Server;
let bucketUrl: string;
let answers: { status: number; text?: string }[];
let seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];

beforeEach(async () => {
  [answers, seen] = [[], []];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push({
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      });
      const { status, text = '' } = answers.shift() ?? { status: 200 };
      if (status === 0) response.destroy();
      else response.writeHead(status).end(text);
    });
  });
  bucketUrl = `http://127.0.0.1:${await listen(server, 0, '127.0.0.1')}/bucket`;
});
afterEach(() => close(server));

const bodies = (nowMs = 1_000) => bucketBodies({ bucketUrl, credentials: CREDENTIALS, now: () => nowMs });
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

test('a body is put and read with a signature over it', async () => {
  await bodies().put('an-id', BODY);
  answers = [{ status: 200, text: JSON.stringify(BODY) }];
  expect(await bodies().read('an-id')).toEqual(BODY);

  const [put, get] = seen;
  expect(put).toMatchObject({ method: 'PUT', url: '/bucket/messages/an-id', body: JSON.stringify(BODY) });
  expect(get).toMatchObject({ method: 'GET', url: '/bucket/messages/an-id' });
  for (const { method, url, headers, body } of seen) {
    expect(headers['x-amz-content-sha256']).toBe(sha256(body));
    const names = 'host;x-amz-content-sha256;x-amz-date;x-amz-security-token';
    const lines = names.split(';').map((name) => `${name}:${String(headers[name])}\n`);
    const canonical = [method, url, '', lines.join(''), names, sha256(body)].join('\n');
    const date = String(headers['x-amz-date']);
    const scope = [date.slice(0, 8), CREDENTIALS.region, 's3', 'aws4_request'];
    const key = scope.reduce<string | Buffer>(
      (secret, part) => createHmac('sha256', secret).update(part).digest(),
      `AWS4${CREDENTIALS.secretAccessKey}`,
    );
    const signature = createHmac('sha256', key)
      .update(['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(canonical)].join('\n'))
      .digest('hex');
    expect(headers.authorization).toContain(`SignedHeaders=${names}, Signature=${signature}`);
  }
});

test('a request is retried twice on a server error, and then throws', async () => {
  answers = [{ status: 503 }, { status: 0 }, { status: 200 }];
  await bodies().put('an-id', BODY);
  expect(seen).toHaveLength(3);

  answers = [{ status: 500 }, { status: 500 }, { status: 500 }];
  await expect(bodies().put('an-id', BODY)).rejects.toThrow('500');
  answers = [{ status: 403 }];
  await expect(bodies().read('an-id')).rejects.toThrow('403');
});

test('a body that is missing, has expired or has an invalid id is null', async () => {
  answers = [{ status: 404 }, { status: 200, text: JSON.stringify(BODY) }];

  expect(await bodies().read('an-id')).toBeNull();
  expect(await bodies(2_000).read('an-id')).toBeNull();
  for (const id of ['', '../x', 'a/b', 'x'.repeat(101)]) expect(await bodies().read(id)).toBeNull();
  expect(seen).toHaveLength(2);
});
