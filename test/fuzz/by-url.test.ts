/**
 * Generated inputs on a local run, by URL: over sockets, HTTP and the bus. No request ends with a 5xx, what arrives is
 * well-formed, a healthy client misses nothing, and after any times on the bus an honest tick wins. `INPUTS` and `SEED` set the run.
 */
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import { makeLevers } from '../../local/base/levers.ts';
import { connect, type Message, ofType } from '../helpers/client.ts';
import { alert, tick } from '../helpers/events.ts';
import { busClient, type OwnRun, ownRun } from '../helpers/local.ts';
import { clientMessage, eventExamples, httpInput, type Making, mutatedJson, pick, publishBody } from './inputs.ts';

const INPUTS = Number(process.env['INPUTS'] || 200);
const SEED = Number(process.env['SEED'] || 1);
const HEALTHY = '999999';
/** Clients at once; each says some messages and leaves. */
const AT_ONCE = 24;
const MESSAGES = 12;

let own: OwnRun;
beforeAll(async () => {
  own = await ownRun({ seed: SEED, lines: 1_000_000 });
});
afterAll(() => own.run.stop());

const makingOf = (number: number): Making => ({ random: makeLevers(SEED * 10_000_000 + number).random, halves: true });

/** Says some messages on a connection of its own, without pauses, and checks all that it was sent. */
async function visit(making: Making): Promise<void> {
  const { random } = making;
  const socket = new WebSocket(`${own.url.replace('http', 'ws')}/ws`, pick([[], [], ['v12.stomp']], random));
  const texts: string[] = [];
  socket.on('message', (data: Buffer) => texts.push(new TextDecoder('utf-8', { fatal: true }).decode(data)));
  const closed = new Promise((done) => socket.once('close', done));
  socket.on('error', () => undefined);
  await Promise.race([new Promise((done) => socket.once('open', done)), closed]);
  for (let message = 0; message < MESSAGES; message++) if (socket.readyState === WebSocket.OPEN) socket.send(clientMessage(making));
  await own.run.settled();
  socket.close();
  await closed;
  for (const text of texts) {
    expect(text.isWellFormed(), text).toBe(true);
    expect(text).not.toContain('INTERNAL_SERVER_ERROR');
  }
}

async function request(making: Making): Promise<void> {
  const { random } = making;
  const { method, path, query, body } =
    random() < 0.5 ? httpInput(making) : { method: 'POST', path: '/internal/events', query: '', body: publishBody(making) };
  const url = new URL(own.url);
  url.pathname = path;
  url.search = query;
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', 'x-api-key': own.key },
    ...(body === '' || method === 'GET' || method === 'HEAD' ? {} : { body }),
  });
  const bytes = await response.arrayBuffer();
  const what = `${method} ${path}?${query} ${body.slice(0, 2_000)}`;
  expect(response.status, what).toBeLessThan(500);
  expect(new TextDecoder('utf-8', { fatal: true }).decode(bytes).isWellFormed(), what).toBe(true);
}

test(`${INPUTS} inputs from the seed ${SEED}`, { timeout: 20 * 60_000 }, async () => {
  const healthy = await connect(own.url);
  healthy.send({ type: 'subscribe', topics: [`price:${HEALTHY}`, 'ops:alert'] });
  for (let topics = 0; topics < 2; topics++) await healthy.until(ofType('subscribed'));
  const alertsOf = (messages: readonly Message[]) => messages.filter(ofType('alert')).map(({ position }) => String(position));

  for (let done = 0, number = 0; done < INPUTS; number++) {
    const makings = Array.from({ length: AT_ONCE }, (_, index) => makingOf(number * AT_ONCE + index));
    await Promise.all(makings.map((making, index) => (index % 2 === 0 ? visit(making) : request(making))));
    done += (AT_ONCE / 2) * (MESSAGES + 1);
    await own.publish([tick(HEALTHY, number + 1), alert({ title: `healthy ${number}` })]);
    await healthy.until(({ data }) => (data as { title?: string } | undefined)?.title === `healthy ${number}`, `alert ${number}`);
  }

  await own.run.settled();
  const offsets = alertsOf(healthy.received).map((position) => Number(position.split('-')[1]));
  expect(offsets, 'every alert, in order').toEqual(offsets.map((_, index) => index + 1));
  expect(own.logs.filter((line) => /"level":"ERROR"/.test(line))).toEqual([]);
  await healthy.close();
});

test(`${Math.ceil(INPUTS / 4)} events put onto the bus with any time, acceptance and detail: then an honest tick wins`, {
  timeout: 20 * 60_000,
}, async () => {
  const making = makingOf(9_000_000);
  const { random } = making;
  const client = busClient(own.run);
  const TIMES = [undefined, 0, 1, -62_135_596_800, 4_070_908_800, 253_402_214_400, 1e15, -1e15, 1_770_000_000.5];
  for (let index = 0; index < INPUTS / 4; index++) {
    const { source, detailType, detail } = pick(eventExamples(random), random);
    const accepted = {
      id: pick(['x', '', 5, null], random),
      time: pick([null, '2099-01-01T00:00:00Z', 'garbage', 5], random),
      acceptedAtMs: pick([0, 8.64e15, 1e300, -1, '5', null], random),
      index: pick([0, -1, 1e9, null], random),
    };
    const seconds = pick(TIMES, random);
    const entry = {
      EventBusName: own.run.busName,
      Source: source,
      DetailType: detailType,
      Detail: mutatedJson(
        random() < 0.5 ? { ...detail, _accepted: random() < 0.8 ? accepted : pick([null, [], 5, {}], random) } : detail,
        making,
      ),
    };
    // the SDK writes times as they are; what no date can hold goes as JSON by hand
    const response = await fetch(own.run.awsUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AWSEvents.PutEvents' },
      body: JSON.stringify({ Entries: [{ ...entry, ...(seconds === undefined ? {} : { Time: seconds }) }] }),
    });
    expect(response.status, JSON.stringify(entry)).toBeLessThan(500);
    await response.arrayBuffer();
  }
  await own.run.settled();
  // a time that is up to five seconds ahead may win until then
  own.run.clock.advance(6_000);

  for (const ticker of ['000000', '005930', 'ABCDEF']) {
    const { source, detailType, detail } = tick(ticker, 4_321);
    const { timestamp: _, ...untimed } = detail;
    const put = new PutEventsCommand({
      Entries: [{ EventBusName: own.run.busName, Source: source, DetailType: detailType, Detail: JSON.stringify(untimed) }],
    });
    expect((await client.send(put)).FailedEntryCount).toBe(0);
    await own.run.settled();
    expect((await own.get(`/internal/price/${ticker}`)).body, ticker).toMatchObject({ price: 4_321 });
  }
  client.destroy();
  expect(own.logs.filter((line) => /"level":"ERROR"/.test(line))).toEqual([]);
});
