/**
 * Generated inputs over every entry, on the functions' own handlers with ports in memory. Nothing may fail, what leaves must
 * be well-formed, and a healthy client beside it goes on getting what is published. `INPUTS` and `SEED` set the run.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { readSettings } from '../../bin/settings.ts';
import { detailOnBus } from '../../core/events/envelope.ts';
import { ENV } from '../../core/names.ts';
import type { AcceptedEvent } from '../../core/ports/events.ts';
import type { Telemetry } from '../../functions/adapters/report.ts';
import { makeLevers } from '../../local/base/levers.ts';
import { queryOf } from '../../local/resources/http-api.ts';
import { systems } from '../../systems/index.ts';
import { alert, tick } from '../helpers/events.ts';
import { halves as halvesIn } from '../helpers/halves.ts';
import { memoryPorts } from '../helpers/ports.ts';
import { busEvent, clientMessage, httpInput, type Making, pick, publishBody } from './inputs.ts';

const INPUTS = Number(process.env['INPUTS'] || 4_000);
const SEED = Number(process.env['SEED'] || 1);
/** Every so many inputs the healthy client must get what is published: a tick of this ticker, and an alert. */
const CHECK_EVERY = 100;
const HEALTHY = '999999';
const KEY = 'key';

type Handler = (event: unknown, context: unknown) => Promise<{ statusCode?: number; body?: string; batchItemFailures?: unknown[] }>;
type Made = Readonly<Record<'rest' | 'connect' | 'message' | 'ingest' | 'fanOut', (...given: never[]) => Handler>>;
let made: Made;
beforeAll(async () => {
  // a function's module makes its own ports when it is loaded, and these read names
  for (const name of Object.values(ENV)) process.env[name] ??= 'http://localhost';
  delete process.env[ENV.workQueues];
  Object.assign(process.env, readSettings({ APP_PUSH_MODE: 'both' }, systems));
  const load = async (name: string): Promise<(...given: never[]) => Handler> =>
    ((await import(`../../functions/${name}.ts`)) as { createHandler: (...given: never[]) => Handler }).createHandler;
  const [rest, connect, message, ingest, fanOut] = await Promise.all(['rest', 'ws-connect', 'ws-message', 'ingest', 'fan-out'].map(load));
  made = { rest, connect, message, ingest, fanOut } as Made;
});

/** A deployment in memory: what the handlers publish and ask for is served at once. */
function world(seed: number, halves: boolean) {
  const { random } = makeLevers(seed);
  const making: Making = { random, halves };
  const memory = memoryPorts();
  /** Faults of ours, as they were reported. */
  const faults: string[] = [];
  memory.report.error = (message, error) => void faults.push(`${message}: ${error instanceof Error ? error.stack : String(error)}`);
  const queue: string[] = [];
  const lane = {
    async send(events: readonly AcceptedEvent[]) {
      for (const event of events)
        queue.push(
          JSON.stringify({
            id: event.id,
            source: event.source,
            'detail-type': event.detailType,
            time: new Date(memory.clock.now()).toISOString(),
            detail: detailOnBus(event),
          }),
        );
      return [];
    },
  };
  /** Reasons of the dead letters: the events themselves stay as they came. */
  const buried: string[] = [];
  const ports = {
    ...memory,
    allowedOrigins: '*',
    maxConnections: 0,
    lanes: { bus: lane, direct: lane },
    keys: { holderOf: async (key: string) => (key === KEY ? { source: '*', agent: null } : null) },
    notices: { send: async () => undefined },
    deadLetters: { bury: async (_: string, reason: string) => void buried.push(reason) },
    version: 'test',
  };
  const quiet = {
    addContext: () => undefined,
    resetKeys: () => undefined,
    error: (message: string, error: Error) => memory.report.error(message, error),
  };
  const telemetry = { report: memory.report, logger: quiet, metrics: { hasStoredMetrics: () => false } } as unknown as Telemetry;
  const handle = (create: (...given: never[]) => Handler, ...given: unknown[]): Handler =>
    (create as (...all: unknown[]) => Handler)(ports, ...given, telemetry);
  const handlers = {
    rest: handle(made.rest, '*', null),
    connect: handle(made.connect, null),
    message: handle(made.message),
    ingest: handle(made.ingest),
    fanOut: handle(made.fanOut),
  };
  const context = { getRemainingTimeInMillis: () => 60_000, awsRequestId: 'r' };
  let serial = 0;
  const socketContext = (connectionId: string) => ({
    connectionId,
    requestId: `r${serial++}`,
    requestTimeEpoch: memory.clock.now(),
    connectedAt: memory.clock.now(),
    identity: { sourceIp: '192.0.2.1' },
  });
  /** Everything that left, since it was last looked at. */
  const left: string[] = [];

  const records = (bodies: readonly string[]) => ({
    Records: bodies.map((body) => ({ messageId: `m${serial++}`, body, attributes: { SentTimestamp: String(memory.clock.now()) } })),
  });
  const serveQueues = async (): Promise<void> => {
    for (let rounds = 0; queue.length + memory.jobs.jobs.length > 0 && rounds < 50; rounds++) {
      const events = queue.splice(0, 10);
      if (events.length > 0) expect((await handlers.ingest(records(events), context)).batchItemFailures, events.join('\n')).toEqual([]);
      const jobs = memory.jobs.jobs.splice(0, 10).map(({ job }) => JSON.stringify(job));
      if (jobs.length > 0) expect((await handlers.fanOut(records(jobs), context)).batchItemFailures, jobs.join('\n')).toEqual([]);
    }
    expect([queue.length, memory.jobs.jobs.length], 'work that makes ever more work').toEqual([0, 0]);
  };
  const rest = async (method: string, path: string, query: string, body: string, headers: Record<string, string>) => {
    const answer = await handlers.rest(
      {
        rawPath: path,
        rawQueryString: query,
        headers: { 'content-type': 'application/json', ...headers },
        ...(query === '' ? {} : { queryStringParameters: queryOf(new URL(`http://push.example/?${query}`)) }),
        requestContext: { http: { method, path }, requestId: `r${serial++}` },
        ...(body === '' ? {} : { body }),
        isBase64Encoded: false,
      },
      context,
    );
    left.push(answer.body ?? '');
    return answer;
  };
  const connect = async (connectionId: string, protocols: string | null): Promise<void> => {
    const headers = { Host: 'push.example', ...(protocols === null ? {} : { 'Sec-WebSocket-Protocol': protocols }) };
    const answer = await handlers.connect({ headers, requestContext: socketContext(connectionId) }, context);
    expect(answer.statusCode, protocols ?? 'no subprotocol').toBeLessThan(500);
  };
  const say = (connectionId: string, body: string) => handlers.message({ requestContext: socketContext(connectionId), body }, context);
  return { making, memory, faults, handlers, queue, left, buried, rest, connect, say, serveQueues };
}

const PROTOCOLS = [null, null, 'v12.stomp', 'v10.stomp, v11.stomp', 'push.json.v1, bearer.x', '한글', ',,', 'x'.repeat(300)];

/** Runs inputs, and checks after each. Returns how often each entry was tried. */
async function run(seed: number, inputs: number, halves: boolean): Promise<Record<string, number>> {
  const { making, memory, faults, queue, left, buried, rest, connect, say, serveQueues } = world(seed, halves);
  const { random } = making;
  const tried: Record<string, number> = {};
  let healthy = '';
  let openedMs = Number.NEGATIVE_INFINITY;
  const openHealthy = async (): Promise<void> => {
    // a connection lasts two hours
    if (memory.clock.now() - openedMs < 3_600_000) return;
    openedMs = memory.clock.now();
    healthy = `healthy-${openedMs}`;
    await connect(healthy, null);
    await say(healthy, JSON.stringify({ type: 'subscribe', topics: [`price:${HEALTHY}`, 'ops:alert'] }));
  };
  let other = '';
  let age = Number.POSITIVE_INFINITY;
  const ENTRIES: readonly (readonly [string, () => Promise<string>])[] = [
    [
      'message',
      async () => {
        // a connection errs for a while, and gives way to the next
        if (age++ > 8 || memory.gateway.closed.includes(other)) {
          other = `c${tried['message']}`;
          age = 0;
          await connect(other, pick(PROTOCOLS, random));
        }
        const text = clientMessage(making);
        await say(other, text);
        return text;
      },
    ],
    [
      'bus',
      async () => {
        const body = busEvent(making);
        queue.push(body);
        return body;
      },
    ],
    [
      'publish',
      async () => {
        const body = publishBody(making);
        const answer = await rest('POST', '/internal/events', '', body, { 'x-api-key': random() < 0.98 ? KEY : 'wrong' });
        expect([202, 400, 401, 413], body).toContain(answer.statusCode);
        return body;
      },
    ],
    [
      'rest',
      async () => {
        const { method, path, query, body } = httpInput(making);
        const answer = await rest(method, path, query, body, { 'last-event-id': random() < 0.1 ? 'e\\c1' : '' });
        expect(answer.statusCode, `${method} ${path}?${query} ${body}`).toBeLessThan(500);
        return `${method} ${path}?${query} ${body}`;
      },
    ],
  ];

  await openHealthy();
  for (let index = 0; index < inputs; index++) {
    const [name, enter] = pick(ENTRIES, random);
    tried[name] = (tried[name] ?? 0) + 1;
    const said = await enter();
    await serveQueues();
    memory.clock.nowMs += Math.floor(random() * 1_500);
    const what = `seed ${seed}, input ${index}, ${name}: ${said.slice(0, 2_000)}`;
    expect(faults, what).toEqual([]);
    for (const text of [...left.splice(0), ...memory.gateway.posted.map(({ frame }) => frame), ...buried.splice(0)]) {
      expect(text.isWellFormed(), what).toBe(true);
      expect(halvesIn(text), what).toEqual([]);
      if (!halves) expect(text.includes('\ufffd'), what).toBe(false);
      expect(text, what).not.toContain('INTERNAL_SERVER_ERROR');
    }
    if (index % CHECK_EVERY === CHECK_EVERY - 1) await checkHealthy(index);
    memory.gateway.posted.length = 0;
    if (memory.report.lines.length > 1_000) memory.report.lines.length = 0;
  }

  async function checkHealthy(index: number): Promise<void> {
    await openHealthy();
    memory.gateway.posted.length = 0;
    const events = [tick(HEALTHY, index + 1), alert({ title: `healthy ${index}` })];
    const answer = await rest('POST', '/internal/events', '', JSON.stringify({ events }), { 'x-api-key': KEY });
    expect(answer.statusCode).toBe(202);
    await serveQueues();
    const got = memory.gateway.posted.filter(({ connectionId }) => connectionId === healthy).map(({ frame }) => frame);
    expect(
      got.some((frame) => frame.includes(`"price":${index + 1},`)),
      `seed ${seed}, after input ${index}: the healthy client's tick; ${got}`,
    ).toBe(true);
    expect(
      got.some((frame) => frame.includes(`"healthy ${index}"`)),
      `seed ${seed}, after input ${index}: its alert; ${got}`,
    ).toBe(true);
  }
  return tried;
}

describe.each([
  ['with half characters', true],
  ['without', false],
])('inputs %s', { timeout: 30 * 60_000 }, (_, halves) => {
  test(`${INPUTS / 2} of them, over every entry, from the seed ${SEED}`, async () => {
    const tried = await run(SEED, INPUTS / 2, halves);

    for (const entry of ['message', 'bus', 'publish', 'rest']) expect(tried[entry], entry).toBeGreaterThan(INPUTS / 16);
  });
});
