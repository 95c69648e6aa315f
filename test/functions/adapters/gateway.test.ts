/** Our own client for posts, against a gateway that fails on purpose. */

import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ApiGatewayManagementApiClient, PostToConnectionCommand } from '@aws-sdk/client-apigatewaymanagementapi';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { apiGateway } from '../../../functions/adapters/gateway.ts';
import { close, listen } from '../../../local/base/listen.ts';
import { memoryReport } from '../../helpers/memory/report.ts';

const CREDENTIALS = {
  region: 'ap-northeast-2',
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG',
  sessionToken: 'token/with+signs=',
};
const ID = 'L0SM9cOFvHcCIhw=';

let server: Server;
let url: string;
let answers: number[];
let seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];
let pauses: number[];
/** Statuses that stand for no answer at all, and for one that stops in its body. */
const NEVER = -1;
const HALF = -2;
/** Of every answer. */
let answerBody: string;

beforeEach(async () => {
  [answers, seen, pauses, answerBody] = [[], [], [], ''];
  server = createServer((request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8');
    });
    request.on('end', () => {
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      const status = answers.shift() ?? 200;
      if (status === NEVER) return;
      if (status === HALF) return void response.writeHead(200, { 'content-length': '100' }).write('{');
      if (status === 0) response.destroy();
      else response.writeHead(status, { 'content-type': 'application/json' }).end(status === 200 ? answerBody : '');
    });
  });
  url = `http://127.0.0.1:${await listen(server, 0, '127.0.0.1')}/ws`;
});
afterEach(() => close(server));

const gateway = () => apiGateway(memoryReport(), { callbackUrl: url, credentials: CREDENTIALS, sleep: async (ms) => void pauses.push(ms) });

/** Computes a signature as the receiver does: from the request alone. */
function signatureOf({ method, url: path, headers, body }: (typeof seen)[number]): string {
  const names = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1] ?? '';
  const encoded = path
    .split('/')
    .map((part) => encodeURIComponent(part))
    .join('/');
  const lines = names.split(';').map((name) => `${name}:${String(headers[name])}\n`);
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  const canonical = [method, encoded, '', lines.join(''), names, hash(body)].join('\n');
  const date = String(headers['x-amz-date']);
  const scope = `${date.slice(0, 8)}/${CREDENTIALS.region}/execute-api/aws4_request`;
  const key = [date.slice(0, 8), CREDENTIALS.region, 'execute-api', 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${CREDENTIALS.secretAccessKey}`,
  );
  return createHmac('sha256', key)
    .update(`AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash(canonical)}`)
    .digest('hex');
}

describe('a post', () => {
  test('goes to the escaped connection id, with the frame unchanged', async () => {
    expect(await gateway().post(ID, '{"ü":1}')).toBe('sent');

    expect(seen).toMatchObject([{ method: 'POST', url: '/ws/@connections/L0SM9cOFvHcCIhw%3D', body: '{"ü":1}' }]);
  });

  test('has the signature that the receiver and the SDK compute', async () => {
    await gateway().post(ID, 'frame');
    const sdk = new ApiGatewayManagementApiClient({ endpoint: url, region: CREDENTIALS.region, credentials: CREDENTIALS });
    await sdk.send(new PostToConnectionCommand({ ConnectionId: ID, Data: 'frame' }));
    sdk.destroy();

    expect(seen[0]?.headers.authorization).toContain(`Signature=${signatureOf(seen[0] as (typeof seen)[number])}`);
    expect(seen[1]?.url).toBe(seen[0]?.url);
    expect(seen[1]?.headers.authorization).toContain(signatureOf(seen[1] as (typeof seen)[number]));
  });

  test('to a connection that has left is gone, and is not retried', async () => {
    answers = [410];

    expect(await gateway().post(ID, 'x')).toBe('gone');
    expect(seen).toHaveLength(1);
  });

  test('that is throttled is retried shortly, and is slow if it still fails', async () => {
    answers = [429, 200, 429, 429, 429];

    expect(await gateway().post(ID, 'x')).toBe('sent');
    expect(await gateway().post(ID, 'x')).toBe('slow');
    expect(seen).toHaveLength(5);
    for (const pause of pauses) expect(pause).toBeLessThan(400);
  });

  test.each([
    ['a server error', 500],
    ['a broken connection', 0],
  ])('that meets %s is retried once, and is slow if it still fails', async (_, status) => {
    answers = [status, 200, status, status];

    expect(await gateway().post(ID, 'x')).toBe('sent');
    expect(await gateway().post(ID, 'x')).toBe('slow');
    expect(seen).toHaveLength(4);
  });

  test('that is forbidden throws and names the grant to check', async () => {
    answers = [403, 403];

    await expect(gateway().post(ID, 'x')).rejects.toThrow("check the function's grant");
    expect(seen).toHaveLength(2);
  });

  test('whose signature has expired is signed anew, once', async () => {
    answers = [403, 200];

    expect(await gateway().post(ID, 'x')).toBe('sent');
  });
});

describe('closing', () => {
  test('deletes the connection, and succeeds for one that has left', async () => {
    answers = [204, 410];

    await gateway().close(ID);
    await gateway().close(ID);

    expect(seen.map(({ method }) => method)).toEqual(['DELETE', 'DELETE']);
  });
});

describe('asking for a connection', () => {
  test('says when it was last active', async () => {
    answerBody = '{"connectedAt":"2026-02-19T01:20:00Z","identity":{},"lastActiveAt":"2026-02-19T01:21:00Z"}';

    expect(await gateway().stateOf(ID)).toEqual({ lastActiveMs: Date.parse('2026-02-19T01:21:00Z') });
    expect(seen.map(({ method, url: path }) => [method, path])).toEqual([['GET', `/ws/@connections/${encodeURIComponent(ID)}`]]);
    expect(seen[0]?.headers.authorization).toContain(`Signature=${signatureOf(seen[0] as (typeof seen)[number])}`);
  });

  test('says that it has left', async () => {
    answers = [410];

    expect(await gateway().stateOf(ID)).toBe('gone');
  });

  test.each([
    ['a server error', 500, ''],
    ['a throttle', 429, ''],
    ['a broken connection', 0, ''],
    ['no answer', NEVER, ''],
    ['half an answer', HALF, ''],
    ['an emulator that names the time in its own way', 200, '{"LastActiveAt":1771464060}'],
  ])('says nothing after %s, at once', async (_, status, body) => {
    answers = [status];
    answerBody = body;

    expect(await gateway().stateOf(ID)).toBeNull();
    expect(seen).toHaveLength(1);
  });

  test('that is forbidden throws and names the grant to check', async () => {
    answers = [403];

    await expect(gateway().stateOf(ID)).rejects.toThrow("check the function's grant");
  });
});

describe('closing that fails', () => {
  test.each([[500], [429], [0], [NEVER], [HALF]])('with %d is left to the next sweep', async (status) => {
    answers = [status];

    await gateway().close(ID);
    expect(seen).toHaveLength(1);
  });

  test('with 403 throws', async () => {
    answers = [403];

    await expect(gateway().close(ID)).rejects.toThrow('refuses to close a connection with 403');
  });
});
