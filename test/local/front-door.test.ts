/** The one origin of the local run, and requests that are strange but right, or wrong. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOCAL_AUDIENCE, LOCAL_ISSUER, LOCAL_JWKS_URI } from '../../local/issuer.ts';
import { tick } from '../helpers/events.ts';
import { type OwnRun, runWith } from '../helpers/local.ts';
import { headOf, rawHttp } from '../helpers/raw-http.ts';

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

test.each(['GET', 'POST'])('%s /ws without upgrade says what it wants', async (method) => {
  const response = await fetch(`${own.url}/ws`, { method });

  expect(response.status).toBe(426);
  expect(response.headers.get('upgrade')).toBe('websocket');
  expect(await response.json()).toEqual({
    error_code: 'INVALID_MESSAGE_FORMAT',
    error_message: '/ws takes WebSocket handshakes: GET with Upgrade: websocket',
    details: {},
  });
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
