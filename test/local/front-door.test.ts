/** The one origin of the local run, and requests that are strange but right, or wrong. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOCAL_AUDIENCE, LOCAL_ISSUER, LOCAL_JWKS_URI } from '../../local/issuer.ts';
import { connect } from '../helpers/client.ts';
import { tick } from '../helpers/events.ts';
import { type OwnRun, runWith } from '../helpers/local.ts';
import { headOf, rawHttp } from '../helpers/raw-http.ts';

const STREAM = '/api/v1/waiting-queue/subscribe?userId=1&concertId=1';

let own: OwnRun;
beforeAll(async () => {
  own = await runWith({ AUTH_MODE: 'jwt', JWT_ISSUER: LOCAL_ISSUER, JWT_AUDIENCE: LOCAL_AUDIENCE, JWT_JWKS_URI: LOCAL_JWKS_URI });
});
afterAll(() => own.run.stop());

const statuses = (answer: string): string[] => [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => String(status));

describe('an upgrade that is not WebSocket', () => {
  const H2C = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA'];

  test('is ignored: the request is served, and so is the next one on the same connection', async () => {
    const answer = await rawHttp(own.url, headOf('GET', '/api/health', H2C) + headOf('GET', '/api/health', [], true));

    expect(statuses(answer)).toEqual(['200', '200']);
  });

  test('is ignored before a body, whole or in chunks', async () => {
    const body = JSON.stringify({ events: [tick('005930', 158_600)] });
    const headers = ['Content-Type: application/json', `X-Api-Key: ${own.key}`];
    const whole = headOf('POST', '/internal/events', [...H2C, ...headers, `Content-Length: ${body.length}`]) + body;
    const chunks = headOf('POST', '/internal/events', [...headers, 'Transfer-Encoding: chunked'], true);

    const answer = await rawHttp(own.url, `${whole}${chunks}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);

    expect(statuses(answer)).toEqual(['202', '202']);
  });

  test('is ignored behind a request that is not answered yet', async () => {
    const answer = await rawHttp(
      own.url,
      headOf('GET', '/api/health') +
        headOf('GET', '/api/health', H2C) +
        headOf('GET', '/api/health', H2C) +
        headOf('GET', '/api/health', [], true),
    );

    expect(statuses(answer)).toEqual(['200', '200', '200', '200']);
  });

  test('is ignored, and the end of the connection is not', async () => {
    const answer = await rawHttp(own.url, headOf('GET', '/api/health', ['Connection: Upgrade, close', 'Upgrade: h2c']));

    expect(statuses(answer)).toEqual(['200']);
  });

  test('is ignored on the path of the WebSocket too', async () => {
    const answer = await rawHttp(own.url, headOf('GET', '/ws', H2C) + headOf('GET', '/api/health', [], true));

    expect(statuses(answer)).toEqual(['426', '200']);
  });
});

test.each(['1.0', '1.1'])('a handshake in HTTP/%s without Host is refused, and the run goes on', async (version) => {
  const answer = await rawHttp(own.url, `GET /ws HTTP/${version}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);

  expect(statuses(answer)).toEqual(['400']);
  expect((await own.get('/api/health')).status).toBe(200);
});

test('/ws without upgrade says what it wants', async () => {
  expect((await fetch(`${own.url}/ws`, { method: 'POST' })).status).toBe(405);
  const response = await fetch(`${own.url}/ws`);

  expect(response.status).toBe(426);
  expect(response.headers.get('upgrade')).toBe('websocket');
  expect(await response.json()).toEqual({
    error_code: 'INVALID_MESSAGE_FORMAT',
    error_message: '/ws takes WebSocket handshakes: GET with Upgrade: websocket',
    details: {},
  });
});

describe('past the front door', () => {
  const refusal = { status: 403, body: { error_code: 'PERMISSION_DENIED' } };
  const at = async (url: string | null, headers: Record<string, string> = {}) => {
    const response = await fetch(String(url), { headers });
    return { status: response.status, body: await response.json() };
  };

  test.each(['/api/health', '/internal/prices', '/', '/assets/page.js', '/nowhere', STREAM])(
    '%s of the HTTP API is refused',
    async (path) => {
      expect(await at(own.run.apiUrl + path)).toMatchObject(refusal);
      expect(await at(own.run.apiUrl + path, { 'x-push-origin-key': 'a guess' })).toMatchObject(refusal);
    },
  );

  test('a handshake is refused', async () => {
    await expect(connect(own.run.apiUrl, { protocols: ['v12.stomp'] })).rejects.toThrow('403');
  });

  test('an event stream is refused, with a token too', async () => {
    const token = await own.run.mint({ user: '1' });

    expect((await at(own.run.streamUrl + STREAM, { authorization: `Bearer ${token}` })).status).toBe(403);
  });
});

test('headers between the front door and its origins count for nothing if a caller sends them', async () => {
  const token = await own.run.mint({ user: '1' });
  const asked = (headers: Record<string, string>) => fetch(own.url + STREAM, { headers });

  expect((await asked({ 'x-push-authorization': `Bearer ${token}` })).status).toBe(401);
  const stream = await asked({ 'x-push-authorization': 'Bearer garbage', authorization: `Bearer ${token}` });
  expect(stream.status).toBe(200);
  await stream.body?.cancel();
});

test.each(['/', '/api/health', '/nowhere', STREAM])('%s has security headers', async (path) => {
  const { headers } = await fetch(own.url + path);

  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('x-frame-options')).toBe('DENY');
  expect(headers.get('strict-transport-security')).toContain('max-age=');
});

test('the page is served once, and again only if it has changed', async () => {
  const page = await fetch(own.url);
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  const again = await fetch(own.url, { headers: { 'if-none-match': page.headers.get('etag') ?? '' } });

  expect(again.status).toBe(304);
  expect((await fetch(`${own.url}/assets/nothing.js`)).status).toBe(404);
  expect((await fetch(own.url, { method: 'POST' })).status).toBe(403);
});

test('a request line and headers over 10,240 bytes together are refused with 431, as the platform does', async () => {
  const of = (bytes: number) => fetch(`${own.url}/api/health?${'x'.repeat(bytes)}`);

  expect((await of(9_000)).status).toBe(200);
  const long = await of(10_240);
  expect(long.status).toBe(431);
  expect(await long.json()).toEqual({ message: 'Request Header Fields Too Large' });
});

test('CONNECT is told that this is no proxy, and an address in whole is served', async () => {
  expect(statuses(await rawHttp(own.url, 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n'))).toEqual(['405']);
  expect(statuses(await rawHttp(own.url, headOf('GET', 'http://localhost/api/health', [], true)))).toEqual(['200']);
});

test.each(['{"user":"a","seconds":null,"roles":null}', '\ufeff{"user":"a"}', '{"user":"a","roles":"ops:read"}'])(
  '/local/token takes %s',
  async (body) => {
    const response = await fetch(`${own.url}/local/token`, { method: 'POST', body });

    expect(response.status).toBe(200);
  },
);

test('/local/token refuses what is no UTF-8', async () => {
  const body = Buffer.concat([Buffer.from('{"user":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);

  expect((await fetch(`${own.url}/local/token`, { method: 'POST', body })).status).toBe(400);
});

test.each(['null', '[]', '3', '"x"', '', '{', '{"user":""}', '{"user":3}', '{"user":"a","seconds":1e300}', '{"user":"a","roles":[1]}'])(
  '/local/token with %s is told what it expects',
  async (body) => {
    const response = await fetch(`${own.url}/local/token`, { method: 'POST', body });

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error_code: 'INVALID_MESSAGE_FORMAT' });
  },
);
