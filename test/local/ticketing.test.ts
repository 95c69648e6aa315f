/** Ticketing over time: keepalives, registrations that expire, and events to upstreams. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connect, ofType } from '../helpers/client.ts';
import { freshId, rank, settled } from '../helpers/events.ts';
import { type OwnRun, ownRun } from '../helpers/local.ts';
import { connected, frame } from '../helpers/stomp.ts';

const QUEUE = '/api/push/websocket/waiting-queue/subscriptions';
const SEATS = '/api/push/websocket/reservations/subscriptions';

let own: OwnRun;
let withUpstream: string;
beforeAll(async () => {
  withUpstream = templateWithUpstream(inject('templateFile'));
  own = await ownRun({ templateFile: withUpstream });
});
afterAll(async () => {
  await own.run.stop();
  rmSync(withUpstream);
  rmSync(withUpstream.replace('.template.json', '.assets.json'));
});

/** The deployment, and an upstream that gets registrations from the bus. */
function templateWithUpstream(templateFile: string): string {
  const template = JSON.parse(readFileSync(templateFile, 'utf8')) as { Resources: Record<string, { Type: string }> };
  const [bus] = Object.entries(template.Resources).find(([, { Type }]) => Type === 'AWS::Events::EventBus') ?? [];
  Object.assign(template.Resources, {
    Upstream: { Type: 'AWS::SQS::Queue', Properties: {} },
    UpstreamPolicy: {
      Type: 'AWS::SQS::QueuePolicy',
      Properties: {
        Queues: [{ Ref: 'Upstream' }],
        PolicyDocument: {
          Statement: [{ Effect: 'Allow', Action: 'sqs:SendMessage', Principal: { Service: 'events.amazonaws.com' }, Resource: '*' }],
        },
      },
    },
    UpstreamRule: {
      Type: 'AWS::Events::Rule',
      Properties: {
        EventBusName: { Ref: bus },
        EventPattern: { source: ['push.registration'] },
        Targets: [{ Arn: { 'Fn::GetAtt': ['Upstream', 'Arn'] } }],
      },
    },
  });
  const file = templateFile.replace('.template.json', '-upstream.template.json');
  writeFileSync(file, JSON.stringify(template));
  writeFileSync(file.replace('.template.json', '.assets.json'), readFileSync(templateFile.replace('.template.json', '.assets.json')));
  return file;
}

test('each registration and each removal is sent to the upstream', async () => {
  const [userId, concertId, seatId] = [freshId(), freshId(), freshId()];
  await own.post(QUEUE, { userId, concertId }, {});
  await own.post(SEATS, { userId, seatId }, {});
  await fetch(`${own.url}${SEATS}?userId=${userId}&seatId=${seatId}`, { method: 'DELETE' });

  const received = own.run.queues
    .get('Upstream')
    ?.receive(10)
    .map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  expect(received).toMatchObject([
    {
      source: 'push.registration',
      'detail-type': 'Registered',
      detail: { userId, channel: 'waiting-queue', destination: `/topic/waiting-queue/${concertId}/${userId}` },
    },
    { 'detail-type': 'Registered', detail: { userId, channel: 'reservations', destination: `/topic/reservations/${seatId}/${userId}` } },
    { 'detail-type': 'Unregistered', detail: { userId, channel: 'reservations' } },
  ]);
});

test('the waiting queue delivers the rank again at the ping interval; only JSON clients get a ping too', async () => {
  const [userId, concertId] = [freshId(), freshId()];
  const destination = `/topic/waiting-queue/${concertId}/${userId}`;
  await own.publish([rank(concertId, userId, 9)]);
  await own.run.settled();
  const stomp = await connected(own.url);
  stomp.send(frame('SUBSCRIBE', { id: 'a', destination }));
  const { headers } = await stomp.expect('MESSAGE');
  const json = await connect(own.url);
  json.send({ type: 'subscribe', topic: destination });
  await json.until(({ event }) => event === 'RANK_UPDATE');
  await own.run.settled();

  own.run.clock.advance(240_000);
  await own.run.invoke('sweep');
  // the scheduled sweep runs beside it: whichever was first has put the jobs
  await own.run.settled();
  // keepalives are spread over the minute
  own.run.clock.advance(30_000);

  const kept = await stomp.expect('MESSAGE');
  expect(JSON.parse(kept.body)).toMatchObject({
    event: 'KEEPALIVE',
    userId,
    concertId,
    data: { userId, concertId, status: 'WAITING', rank: 9 },
  });
  expect(kept.headers.get('message-id')).toMatch(new RegExp(`^${headers.get('message-id')};k\\d+$`));
  const again = await json.until(({ event }) => event === 'KEEPALIVE');
  expect(again).not.toHaveProperty('position');
  expect(json.received.some(ofType('ping'))).toBe(true);
  await own.run.settled();
  expect(stomp.texts.join('')).not.toContain('"ping"');
  await own.publish([rank(concertId, userId, 8)]);
  let next = await stomp.expect('MESSAGE');
  while (next.body.includes('KEEPALIVE')) next = await stomp.expect('MESSAGE');
  expect(JSON.parse(next.body)).toMatchObject({ event: 'RANK_UPDATE', data: { rank: 8 } });
  stomp.close();
  await json.close();
});

test('a STOMP client that sends only heart-beats stays connected, and one that sends none is closed', async () => {
  const [userId, concertId] = [freshId(), freshId()];
  await own.publish([rank(concertId, userId, 9)]);
  await own.run.settled();
  const [beating, silent] = [await connected(own.url), await connected(own.url)];
  // its keepalives every 4 minutes do not keep it connected
  silent.send(frame('SUBSCRIBE', { id: 'a', destination: `/topic/waiting-queue/${concertId}/${userId}` }));
  await silent.expect('MESSAGE');

  for (let minutes = 0; minutes < 8; minutes += 4) {
    own.run.clock.advance(240_000);
    beating.send('\n');
    await own.run.settled();
    await own.run.invoke('sweep');
  }

  await silent.closed();
  beating.send(frame('SUBSCRIBE', { id: 'a', destination: '/topic/waiting-queue/1/1', receipt: 'r' }));
  await beating.expect('RECEIPT');
  beating.close();
});

test('a registration expires after a day, and until then keeps its position when it is renewed', async () => {
  const [userId, seatId, other] = [freshId(), freshId(), freshId()];
  await own.post(SEATS, { userId, seatId }, {});
  await own.post(SEATS, { userId, seatId: other }, {});
  await own.publish([settled(seatId, userId, 'FAIL'), settled(other, userId, 'FAIL')]);
  await own.run.settled();
  own.run.clock.advance(12 * 3_600_000);
  await own.post(SEATS, { userId, seatId }, {});
  own.run.clock.advance(11 * 3_600_000);
  await own.publish([settled(seatId, userId, 'SUCCESS'), settled(other, userId, 'SUCCESS')]);
  await own.run.settled();
  const statusesOf = async (seat: number): Promise<string[]> => {
    const client = await connected(own.url);
    // both frames in one message: the replies to the second come after those to the first
    client.send(
      frame('SUBSCRIBE', { id: 'a', destination: `/topic/reservations/${seat}/${userId}`, receipt: 'r' }) +
        frame('SUBSCRIBE', { id: 'b', destination: '/topic/waiting-queue/1/1', receipt: 'end' }),
    );
    const found: string[] = [];
    for (let receipts = 0; receipts < 2; ) {
      const { command, body } = await client.frames.next();
      if (command === 'RECEIPT') receipts++;
      else found.push((JSON.parse(body) as { status: string }).status);
    }
    await own.run.settled();
    client.close();
    return found;
  };

  expect(await statusesOf(seatId)).toEqual(['FAIL', 'SUCCESS']);
  own.run.clock.advance(2 * 3_600_000);
  expect(await statusesOf(other)).toEqual([]);
});
