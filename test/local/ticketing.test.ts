/** What ticketing promises over time: signs of life, registrations that lapse, and what upstreams hear. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connect, ofType } from '../helpers/client.ts';
import { freshId, rank, settled } from '../helpers/events.ts';
import { type OwnRun, ownRun } from '../helpers/local.ts';
import { connected, frame } from '../helpers/stomp.ts';

const QUEUE = '/api/push/websocket/waiting-queue/subscriptions';
const SEATS = '/api/push/websocket/reservations/subscriptions';

let own: OwnRun;
let withListener: string;
beforeAll(async () => {
  withListener = listeningTemplate(inject('templateFile'));
  own = await ownRun({ templateFile: withListener });
});
afterAll(async () => {
  await own.run.stop();
  rmSync(withListener);
  rmSync(withListener.replace('.template.json', '.assets.json'));
});

/** The deployment with an upstream beside it, which listens to registrations on the bus. */
function listeningTemplate(templateFile: string): string {
  const template = JSON.parse(readFileSync(templateFile, 'utf8')) as { Resources: Record<string, { Type: string }> };
  const [bus] = Object.entries(template.Resources).find(([, { Type }]) => Type === 'AWS::Events::EventBus') ?? [];
  Object.assign(template.Resources, {
    Upstream: { Type: 'AWS::SQS::Queue', Properties: {} },
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

test('registering and unregistering tell the upstream, each time', async () => {
  const [userId, concertId, seatId] = [freshId(), freshId(), freshId()];
  await own.post(QUEUE, { userId, concertId }, {});
  await own.post(SEATS, { userId, seatId }, {});
  await fetch(`${own.url}${SEATS}?userId=${userId}&seatId=${seatId}`, { method: 'DELETE' });

  const heard = own.run.queues
    .get('Upstream')
    ?.receive(10)
    .map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  expect(heard).toMatchObject([
    {
      source: 'push.registration',
      'detail-type': 'Registered',
      detail: { userId, channel: 'waiting-queue', destination: `/topic/waiting-queue/${concertId}/${userId}` },
    },
    { 'detail-type': 'Registered', detail: { userId, channel: 'reservations', destination: `/topic/reservations/${seatId}/${userId}` } },
    { 'detail-type': 'Unregistered', detail: { userId, channel: 'reservations' } },
  ]);
});

test('at the ping interval the queue tells where one stands; STOMP clients get no ping, JSON clients do', async () => {
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
  // it goes out spread over the minute
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

test('a STOMP client that only sends its heart-beats stays; one that sends none is let go', async () => {
  const [userId, concertId] = [freshId(), freshId()];
  await own.publish([rank(concertId, userId, 9)]);
  await own.run.settled();
  const [beating, silent] = [await connected(own.url), await connected(own.url)];
  // told where it stands every 4 minutes, it does not live by that
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

test('a registration lapses after a day; until then it is a start, whatever was registered since', async () => {
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
  const tolds = async (seat: number): Promise<string[]> => {
    const client = await connected(own.url);
    // in one message: what answers the second frame comes after all that answers the first
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

  expect(await tolds(seatId)).toEqual(['FAIL', 'SUCCESS']);
  own.run.clock.advance(2 * 3_600_000);
  expect(await tolds(other)).toEqual([]);
});
