/** CPU per post to a connection: our client, the SDK's, and a request without signature as the floor. */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { Worker } from 'node:worker_threads';
import { ApiGatewayManagementApiClient, PostToConnectionCommand } from '@aws-sdk/client-apigatewaymanagementapi';
import { bounded } from '../core/base/concurrency.ts';
import { apiGateway } from '../functions/adapters/gateway.ts';
import { table } from './print.ts';

const CREDENTIALS = { region: 'local', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'x'.repeat(900) };
const WARM_UP = 1_000;
const AT_ONCE = 64;
const FRAME = JSON.stringify({
  type: 'price_update',
  ticker: '005930',
  data: { price: 158_600, change: -700, volume: 36_358_081 },
  timestamp: new Date(0).toISOString(),
});
const ID = 'L0SM9cOFvHcCIhw=';

/** Answers 200 to everything, in a thread of its own so that its CPU does not count. */
const SERVER = `
const { createServer } = require('node:http');
const { parentPort } = require('node:worker_threads');
const server = createServer((request, response) => { request.resume(); request.on('end', () => response.writeHead(200, { 'content-length': 0 }).end()); });
server.listen(0, '127.0.0.1', () => parentPort.postMessage({ port: server.address().port }));
`;

export async function posts(count: number): Promise<void> {
  const server = new Worker(SERVER, { eval: true });
  const [{ port }] = (await once(server, 'message')) as [{ port: number }];
  const url = `http://127.0.0.1:${port}/ws`;
  const sdk = new ApiGatewayManagementApiClient({ endpoint: url, region: 'local', credentials: CREDENTIALS, maxAttempts: 1 });
  const own = apiGateway({ count: () => undefined }, { callbackUrl: url, credentials: CREDENTIALS });
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE, scheduling: 'lifo' });
  const ways: [string, () => Promise<unknown>][] = [
    ['unsigned (floor)', () => unsigned(agent, port)],
    ['own client', () => own.post(ID, FRAME)],
    ['SDK client', () => sdk.send(new PostToConnectionCommand({ ConnectionId: ID, Data: FRAME }))],
  ];
  const rows: [string, number][] = [];
  for (const [name, post] of ways) {
    await bounded(Array.from({ length: WARM_UP }).keys(), AT_ONCE, async () => void (await post()));
    const before = performance.eventLoopUtilization();
    const began = performance.now();
    await bounded(Array.from({ length: count }).keys(), AT_ONCE, async () => void (await post()));
    // busy time of this thread, without the server's
    const { utilization } = performance.eventLoopUtilization(before);
    rows.push([name, ((performance.now() - began) * utilization * 1000) / count]);
  }
  agent.destroy();
  sdk.destroy();
  await server.terminate();
  const mine = rows[1]?.[1] ?? Number.NaN;
  console.log(`\nposts: ${count} posts, ${AT_ONCE} at once, over loopback without TLS; busy time of the posting thread`);
  table(
    ['client', 'µs a post', 'relative to ours'],
    rows.map(([name, micros]) => [name, micros.toFixed(0), `${(micros / mine).toFixed(2)} ×`]),
  );
}

const unsigned = (agent: Agent, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const sent = request(
      {
        agent,
        port,
        host: '127.0.0.1',
        method: 'POST',
        path: `/ws/@connections/${ID}`,
        headers: { 'content-length': Buffer.byteLength(FRAME) },
      },
      (response) => {
        response.resume();
        response.on('end', resolve);
      },
    );
    sent.on('error', reject);
    sent.end(FRAME);
  });
