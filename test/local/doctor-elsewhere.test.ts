/** `npm run doctor` at an address that is something else: it says so, ends, and gives the key to nobody. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { printable } from '../../bin/command-line.ts';
import { examine } from '../../bin/doctor/examine.ts';

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done).closeAllConnections())));
});

async function serving(listener: RequestListener, text?: string): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  // whatever a client asks for, it gets this
  if (text !== undefined) new WebSocketServer({ server }).on('connection', (socket) => socket.on('message', () => socket.send(text)));
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function found(url: string): Promise<string[]> {
  const deployed = { api: url, socket: url.replace('http', 'ws'), streams: url, sources: ['market.price'], streamPaths: [] };
  const lines: string[] = [];
  const options = { waitMs: 300, environment: {} };
  for await (const { check, outcome, says } of examine({ ...deployed, target: null, key: 'a-key', token: null }, options))
    lines.push(printable(`${outcome} ${check}: ${says}`));
  return lines;
}

test.each(['<html>', 'null', '{"status":"ok"}', '[]'])('an address that answers %s is not taken for a deployment', async (body) => {
  const url = await serving((_, response) => void response.end(body));
  expect(await found(url)).toContainEqual(expect.stringMatching(/^bad API: GET \/api\/health answers 200 with /));
});

test.each(['<html>', 'null', '3', '{"type":"canary","id":{}}', '{"type":"error","data":{}}'])(
  'a WebSocket that answers %s is bad, and the checks go on',
  async (text) => {
    const url = await serving((_, response) => void response.end('<html></html>'), text);
    expect(await found(url)).toContainEqual(expect.stringMatching(/^bad WebSocket: /));
  },
);

test.each(['', 'null', '{}', '{"rejected":3}'])('publishing that is answered 202 with %s is bad', async (body) => {
  const url = await serving(
    ({ method }, response) => void response.writeHead(method === 'POST' ? 202 : 200).end(method === 'POST' ? body : '{}'),
    '{}',
  );
  expect(await found(url)).toContainEqual(expect.stringMatching(/^bad publishing: .* answers 202/));
});

test('no redirect gets the key', async () => {
  const keys: unknown[] = [];
  const other = await serving(({ headers }, response) => {
    keys.push(headers['x-api-key']);
    response.writeHead(202).end('{"accepted":1,"rejected":[]}');
  });
  const url = await serving((_, response) => void response.writeHead(307, { location: `${other}/internal/events` }).end(), '{}');
  expect(await found(url)).toContainEqual(expect.stringMatching(/^bad publishing: .* answers 307/));
  expect(keys).toEqual([]);
});

test('what an address says forges no line', async () => {
  const url = await serving((_, response) => void response.writeHead(500).end('\u001b[2K\nok    all: well'));
  const lines = await found(url);
  expect(lines.join('')).not.toContain('\u001b');
  expect(lines.join('')).not.toContain('\n');
});
