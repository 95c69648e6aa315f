/** Ticketing over STOMP, as a ticket buyer's client sees it: registration, connection and topics. */
import { type IMessage, type StompHeaders, Versions } from '@stomp/stompjs';
import { describe, expect, test } from 'vitest';
import webstomp from 'webstomp-client';
import WebSocket from 'ws';
import { connect, ofType } from '../helpers/client.ts';
import { activated, freshId, freshTicker, rank, settled, tick } from '../helpers/events.ts';
import { sharedHost } from '../helpers/host.ts';
import { inOrder } from '../helpers/in-order.ts';
import { connected, frame, officialClient, queue, rawStomp } from '../helpers/stomp.ts';
import { within } from '../helpers/within.ts';

const host = sharedHost();
const QUEUE = '/api/push/websocket/waiting-queue/subscriptions';
const SEATS = '/api/push/websocket/reservations/subscriptions';

const register = (path: string, body: unknown) => host.post(path, body, {});
const remove = (path: string) => fetch(host.url + path, { method: 'DELETE' });

describe('the official client', () => {
  test.each([
    ['1.0', ['1.0']],
    ['1.1', ['1.1', '1.0']],
    ['1.2', ['1.2', '1.1', '1.0']],
  ])('of STOMP %s registers, connects, subscribes, gets messages and receipts, unsubscribes and leaves', async (version, versions) => {
    const [userId, concertId] = [freshId(), freshId()];
    const { status, body } = await register(QUEUE, { userId, concertId });
    expect({ status, body }).toEqual({
      status: 200,
      body: { transport: 'websocket', destination: `/topic/waiting-queue/${concertId}/${userId}` },
    });
    const client = await officialClient(host.url, {
      stompVersions: new Versions(versions),
      heartbeatIncoming: 10_000,
      heartbeatOutgoing: 10_000,
    });
    expect(client.connectedVersion).toBe(version);
    const messages = queue<IMessage>();
    const receipts = queue<string>();
    const subscribed = new Promise<ReturnType<typeof client.subscribe>>((resolve) => {
      client.watchForReceipt('r-1', () => resolve(made));
      const made = client.subscribe(String(body['destination']), (message) => messages.push(message), { receipt: 'r-1' });
    });
    const subscription = await within(subscribed, 'the receipt of the subscribe', () => messages.all);
    await host.publish([rank(concertId, userId, 12, { timestamp: '2026-02-19T01:20:10.224Z' })]);

    const first = await messages.next();
    expect(first.body).toBe(
      JSON.stringify({
        event: 'RANK_UPDATE',
        userId,
        concertId,
        data: { userId, concertId, status: 'WAITING', rank: 12, activeTtlSeconds: 0, timestamp: '2026-02-19T01:20:10.224Z' },
      }),
    );
    expect(first.headers).toMatchObject({
      destination: `/topic/waiting-queue/${concertId}/${userId}`,
      subscription: subscription.id,
      // the official client unescapes in 1.2 only
      'message-id': expect.stringMatching(version === '1.1' ? /^[0-9a-z]+-1$/ : /^[0-9a-z]+-1$/) as string,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(first.body)),
    });
    await host.publish([activated(concertId, userId, 300)]);
    expect(JSON.parse((await messages.next()).body)).toMatchObject({
      event: 'ACTIVE',
      data: { status: 'ACTIVE', rank: 0, activeTtlSeconds: 300 },
    });

    client.watchForReceipt('r-2', (receipt) => receipts.push(receipt.headers['receipt-id'] as string));
    subscription.unsubscribe({ receipt: 'r-2' } as StompHeaders);
    expect(await receipts.next()).toBe('r-2');
    await host.publish([rank(concertId, userId, 3)]);
    expect((await remove(`${QUEUE}?userId=${userId}&concertId=${concertId}`)).status).toBe(204);
    await client.deactivate();
    expect(messages.all).toHaveLength(2);
  });

  test('gets reservations in commit order, also those from between the registration and the subscribe', async () => {
    const [userId, seatId] = [freshId(), freshId()];
    const destination = `/topic/reservations/${seatId}/${userId}`;
    const publisher = await inOrder(host, destination);
    expect((await register(SEATS, { userId, seatId })).body).toEqual({ transport: 'websocket', destination });
    await publisher.publish([
      settled(seatId, userId, 'FAIL', { timestamp: '2026-02-19T01:21:00.000Z' }),
      settled(seatId, userId, 'SUCCESS'),
    ]);
    await publisher.close();

    const client = await officialClient(host.url);
    const messages = queue<IMessage>();
    client.subscribe(destination, (message) => messages.push(message));
    expect((await messages.next()).body).toBe(
      JSON.stringify({ event: 'RESERVATION_STATUS', userId, seatId, status: 'FAIL', timestamp: '2026-02-19T01:21:00.000Z' }),
    );
    expect(JSON.parse((await messages.next()).body)).toMatchObject({ status: 'SUCCESS' });
    await host.publish([settled(seatId, userId, 'FAIL')]);
    expect((await messages.next()).headers['message-id']).toMatch(/-3$/);
    await client.deactivate();

    const again = await officialClient(host.url);
    const later = queue<IMessage>();
    const subscribed = new Promise<void>((resolve) => {
      again.watchForReceipt('sub', () => resolve());
      again.subscribe(destination, (message) => later.push(message), { receipt: 'sub' });
    });
    await within(subscribed, 'the receipt of the subscribe', () => later.all);
    await host.publish([settled(seatId, userId, 'SUCCESS')]);
    expect((await later.next()).headers['message-id']).toMatch(/-4$/);
    await again.deactivate();
  });
});

test('an independent client that offers its subprotocols in another order does the same', async () => {
  const [userId, concertId] = [freshId(), freshId()];
  const destination = `/topic/waiting-queue/${concertId}/${userId}`;
  const socket = new WebSocket(`${host.url.replace('http', 'ws')}/ws`, ['v10.stomp', 'v11.stomp', 'v12.stomp']);
  const client = webstomp.over(socket as never, { debug: false, heartbeat: { incoming: 0, outgoing: 10_000 } });
  const connecting = new Promise<void>((resolve, reject) =>
    client.connect(
      {},
      () => resolve(),
      (error) => reject(new Error(JSON.stringify(error))),
    ),
  );
  await within(connecting, 'CONNECTED');
  const messages = queue<{ body: string }>();
  const subscription = client.subscribe(destination, (message) => messages.push(message));
  await host.publish([rank(concertId, userId, 4)]);
  let last = JSON.parse((await messages.next()).body) as { data: { rank: number } };
  while (last.data.rank !== 4) last = JSON.parse((await messages.next()).body) as typeof last;
  subscription.unsubscribe();
  await within(new Promise<void>((resolve) => client.disconnect(resolve)), 'the end of the connection', () => messages.all);
});

describe('a connection', () => {
  test.each([
    [['v10.stomp', 'v11.stomp', 'v12.stomp'], 'v12.stomp'],
    [['v10.stomp', 'v11.stomp'], 'v11.stomp'],
    [['v10.stomp'], 'v10.stomp'],
    [['soap', 'v11.stomp'], 'v11.stomp'],
  ])('that offers %j is answered with %s', async (protocols, chosen) => {
    const client = await rawStomp(host.url, { protocols });

    expect(client.socket.protocol).toBe(chosen);
    client.close();
  });

  test('without subprotocol is a STOMP connection if its first frame is CONNECT or STOMP', async () => {
    for (const command of ['CONNECT', 'STOMP']) {
      const client = await rawStomp(host.url, { protocols: [] });
      client.send(frame(command, { 'accept-version': '1.0,1.1,1.2' }));
      expect((await client.expect('CONNECTED')).headers.get('version')).toBe('1.2');
      client.send(frame('SUBSCRIBE', { id: 'a', destination: `/topic/waiting-queue/1/${freshId()}`, receipt: 'r' }));
      await client.expect('RECEIPT');
      client.close();
    }
  });

  test.each([
    ['1.0,1.1,1.2', '1.2'],
    ['1.1', '1.1'],
    ['1.0', '1.0'],
    ['2.0,1.1', '1.1'],
    [null, '1.0'],
  ])('that accepts %s gets %s', async (accepted, version) => {
    const client = await rawStomp(host.url);
    client.send(frame('CONNECT', accepted === null ? {} : { 'accept-version': accepted }));

    expect((await client.expect('CONNECTED')).headers.get('version')).toBe(version);
    client.close();
  });

  test('is asked for a heart-beat every 4 minutes and gets none', async () => {
    const client = await rawStomp(host.url);
    client.send(frame('CONNECT', { 'accept-version': '1.2', 'heart-beat': '10000,10000' }));

    expect((await client.expect('CONNECTED')).headers.get('heart-beat')).toBe('0,240000');
    client.send('\n');
    client.send('\r\n');
    client.send(frame('SUBSCRIBE', { id: 'a', destination: '/topic/waiting-queue/1/1', receipt: 'r' }));
    await client.expect('RECEIPT');
    expect(client.texts).toHaveLength(2);
    client.close();
  });

  test('may send several frames in one message', async () => {
    const destination = `/topic/waiting-queue/1/${freshId()}`;
    const client = await rawStomp(host.url);
    client.send(
      `\n${frame('CONNECT', { 'accept-version': '1.2' })}\n\n${frame('SUBSCRIBE', { id: 'a', destination, receipt: 'r1' })}${frame('UNSUBSCRIBE', { id: 'a', receipt: 'r2' })}${frame('DISCONNECT', { receipt: 'r3' })}\n`,
    );

    await client.expect('CONNECTED');
    for (const receipt of ['r1', 'r2', 'r3']) expect((await client.expect('RECEIPT')).headers.get('receipt-id')).toBe(receipt);
    await client.closed();
  });

  test('may be pipelined: frames that arrive before the CONNECT is served wait for it', async () => {
    const client = await rawStomp(host.url);
    client.send(frame('CONNECT', { 'accept-version': '1.2' }));
    for (let index = 0; index < 5; index++)
      client.send(frame('SUBSCRIBE', { id: `s${index}`, destination: `/topic/waiting-queue/${index}/1`, receipt: `r${index}` }));

    await client.expect('CONNECTED');
    const receipts = new Set<string | undefined>();
    while (receipts.size < 5) receipts.add((await client.expect('RECEIPT')).headers.get('receipt-id'));
    client.close();
  });
});

describe('an ERROR with a reason and the end of the connection answer', () => {
  const destination = '/topic/waiting-queue/1/1';
  const bad: [string, string, string][] = [
    ['SEND', frame('SEND', { destination, receipt: 'r' }, 'hello'), 'do not SEND'],
    ['ACK', frame('ACK', { id: '1', receipt: 'r' }), 'ACK is not served'],
    ['BEGIN', frame('BEGIN', { transaction: 't', receipt: 'r' }), 'BEGIN is not served'],
    ['an unknown command', frame('NONSENSE', { receipt: 'r' }), 'NONSENSE is not served'],
    ['a second CONNECT', frame('CONNECT', { 'accept-version': '1.2' }), 'connected already'],
    ['a SUBSCRIBE without id', frame('SUBSCRIBE', { destination, receipt: 'r' }), 'id'],
    ['a SUBSCRIBE without destination', frame('SUBSCRIBE', { id: 'a', receipt: 'r' }), 'destination'],
    ['a destination without a channel', frame('SUBSCRIBE', { id: 'a', destination: '/topic/nowhere', receipt: 'r' }), '/topic/nowhere'],
    ['an acknowledgement mode', frame('SUBSCRIBE', { id: 'a', destination, ack: 'client', receipt: 'r' }), 'ack'],
    ['an invalid position', frame('SUBSCRIBE', { id: 'a', destination, since: 'yesterday', receipt: 'r' }), 'since'],
    ['an UNSUBSCRIBE with an unknown id', frame('UNSUBSCRIBE', { id: 'zzz', receipt: 'r' }), 'zzz'],
    ['an incomplete frame', 'SUBSCRIBE\nid:a\n', 'whole in one message'],
    ['JSON', '{"type":"subscribe","topic":"price:005930"}', 'whole in one message'],
    ['a bad escape', 'SUBSCRIBE\nid:a\\t\n\n\0', 'escape'],
    ['thousands of frames in one message', 'A\n\n\0'.repeat(5_000), 'a second'],
  ];

  test.each(bad)('%s', async (_, text, reason) => {
    const client = await connected(host.url);
    client.send(text);

    let error = await client.frames.next();
    while (error.command !== 'ERROR') error = await client.frames.next();
    expect(error.headers.get('message')).toContain(reason);
    expect(error.headers.get('receipt-id')).toBe(text.includes('receipt:r') ? 'r' : undefined);
    expect(error.headers.get('content-type')).toBe('text/plain');
    await client.closed();
    expect(client.texts.join('')).not.toContain('"error_code"');
  });

  test('a frame before CONNECT', async () => {
    const client = await rawStomp(host.url);
    client.send(frame('SUBSCRIBE', { id: 'a', destination, receipt: 'r' }));

    expect((await client.expect('ERROR')).headers.get('message')).toContain('CONNECT first');
    await client.closed();
  });

  test('an accept-version without a supported version, with the list of those that are', async () => {
    const client = await rawStomp(host.url);
    client.send(frame('CONNECT', { 'accept-version': '3.0' }));

    expect((await client.expect('ERROR')).headers.get('version')).toBe('1.0,1.1,1.2');
    await client.closed();
  });

  test('a SUBSCRIBE with an id that is taken', async () => {
    const client = await connected(host.url);
    client.send(frame('SUBSCRIBE', { id: 'a', destination, receipt: 'r1' }));
    await client.expect('RECEIPT');
    client.send(frame('SUBSCRIBE', { id: 'a', destination: '/topic/waiting-queue/2/1', receipt: 'r2' }));

    const error = await client.expect('ERROR');
    expect(error.headers.get('message')).toContain('"a" is taken');
    expect(error.headers.get('receipt-id')).toBe('r2');
    await client.closed();
  });

  test('a message over 128 KB, with close code 1009 instead of an ERROR, as the gateway does', async () => {
    const client = await connected(host.url);
    client.send(frame('SEND', { destination }, 'x'.repeat(129 * 1024)));

    expect(await client.closed()).toBe(1009);
  });
});

describe('subscriptions', () => {
  test('with two ids to one destination each get the messages', async () => {
    const [userId, concertId] = [freshId(), freshId()];
    const destination = `/topic/waiting-queue/${concertId}/${userId}`;
    const client = await connected(host.url);
    for (const id of ['a', 'b#c/é']) {
      client.send(frame('SUBSCRIBE', { id, destination, receipt: id }));
      await client.expect('RECEIPT');
    }
    await host.publish([rank(concertId, userId, 9)]);
    const ids = [
      (await client.expect('MESSAGE')).headers.get('subscription'),
      (await client.expect('MESSAGE')).headers.get('subscription'),
    ];
    expect(ids.sort()).toEqual(['a', 'b#c/é']);

    client.send(frame('UNSUBSCRIBE', { id: 'b#c/é', receipt: 'gone' }));
    await client.expect('RECEIPT');
    await host.publish([rank(concertId, userId, 8)]);
    expect((await client.expect('MESSAGE')).headers.get('subscription')).toBe('a');
    client.send(frame('DISCONNECT', { receipt: 'end' }));
    await client.expect('RECEIPT');
    expect(await client.closed()).toBe(1000);
  });

  test('in STOMP 1.0 need no id', async () => {
    const [userId, concertId] = [freshId(), freshId()];
    const destination = `/topic/waiting-queue/${concertId}/${userId}`;
    const client = await connected(host.url, { version: '1.0', protocols: ['v10.stomp'] });
    client.send(`SUBSCRIBE\ndestination: ${destination}\nreceipt: r1\n\n\0`);
    await client.expect('RECEIPT');
    await host.publish([rank(concertId, userId, 9)]);

    const message = await client.expect('MESSAGE');
    expect(message.headers.has('subscription')).toBe(false);
    expect(message.headers.get('destination')).toBe(destination);
    client.send(frame('UNSUBSCRIBE', { destination, receipt: 'r2' }));
    await client.expect('RECEIPT');
    client.close();
  });

  test('deliver any topic: a quote over STOMP, a reservation over JSON', async () => {
    const ticker = freshTicker();
    const stomp = await connected(host.url);
    stomp.send(frame('SUBSCRIBE', { id: 'p', destination: `price\\c${ticker}`, receipt: 'r' }));
    await stomp.expect('RECEIPT');
    await host.publish([tick(ticker, 158_600)]);
    const message = await stomp.expect('MESSAGE');
    expect(message.headers.get('destination')).toBe(`price:${ticker}`);
    expect(JSON.parse(message.body)).toMatchObject({ type: 'price_update', ticker, data: { price: 158_600 } });
    expect(message.body).not.toContain('position');
    stomp.close();

    const [userId, seatId] = [freshId(), freshId()];
    const json = await connect(host.url);
    const topic = `/topic/reservations/${seatId}/${userId}`;
    json.send({ type: 'subscribe', topic });
    const { position } = await json.until(ofType('subscribed'));
    expect(position).toMatch(/-0$/);
    await host.publish([settled(seatId, userId, 'SUCCESS', { timestamp: '2026-02-19T01:21:00.000Z' })]);
    expect(await json.until(({ event }) => event !== undefined)).toEqual({
      event: 'RESERVATION_STATUS',
      userId,
      seatId,
      status: 'SUCCESS',
      timestamp: '2026-02-19T01:21:00.000Z',
      position: String(position).replace(/-0$/, '-1'),
    });
    await json.close();
  });
});

describe('a client that returns', () => {
  const userId = freshId();
  const subscribeSince = async (topic: string, since: string, receipt: string | null = 'r') => {
    const client = await connected(host.url);
    client.send(
      frame('SUBSCRIBE', { id: 'a', destination: topic, since: since.replace(':', '\\c'), ...(receipt === null ? {} : { receipt }) }),
    );
    return client;
  };

  test('to a state topic gets recovered: true with the newest position, and the newest message with an older one', async () => {
    const concertId = freshId();
    const topic = `/topic/waiting-queue/${concertId}/${userId}`;
    await host.publish([rank(concertId, userId, 9)]);
    const first = await subscribeSince(topic, 'other-0');
    expect((await first.expect('RECEIPT')).headers.get('recovered')).toBe('false');
    const position = (await first.expect('MESSAGE')).headers.get('message-id') ?? '';
    first.close();

    const second = await subscribeSince(topic, position);
    expect((await second.expect('RECEIPT')).headers.get('recovered')).toBe('true');
    await host.publish([rank(concertId, userId, 8)]);
    expect(JSON.parse((await second.expect('MESSAGE')).body)).toMatchObject({ data: { rank: 8 } });
    second.close();

    const third = await subscribeSince(topic, `${position};k1700000000000`, null);
    const message = await third.expect('MESSAGE');
    expect(message.headers.get('recovered')).toBe('false');
    expect(JSON.parse(message.body)).toMatchObject({ event: 'RANK_UPDATE', data: { rank: 8 } });
    third.close();
  });

  test('to a log topic misses nothing and repeats nothing', async () => {
    const seatId = freshId();
    const topic = `/topic/reservations/${seatId}/${userId}`;
    await host.post(SEATS, { userId, seatId }, {});
    await host.publish(Array.from({ length: 130 }, (_, index) => settled(seatId, userId, index % 2 ? 'SUCCESS' : 'FAIL')));
    const json = await connect(host.url);
    json.send({ type: 'subscribe', topic, since: 'other-0' });
    const { position, recovered } = await json.until(ofType('subscribed'));
    expect(recovered).toBe(false);
    const epoch = String(position).split('-')[0];
    const offsets = async (client: typeof json, upTo: number) => {
      const found: number[] = [];
      while (found.at(-1) !== upTo)
        found.push(Number(String((await client.until((one) => one['event'] !== undefined))['position']).split('-')[1]));
      return found;
    };
    expect(await offsets(json, 130)).toEqual(Array.from({ length: 130 }, (_, index) => index + 1));
    await json.close();

    const stomp = await subscribeSince(topic, `${epoch}-128`);
    expect((await stomp.expect('RECEIPT')).headers.get('recovered')).toBe('true');
    for (const offset of [129, 130]) expect((await stomp.expect('MESSAGE')).headers.get('message-id')).toBe(`${epoch}-${offset}`);
    stomp.close();

    const unasked = await subscribeSince(topic, `${epoch}-129`, null);
    const message = await unasked.expect('MESSAGE');
    expect([message.headers.get('message-id'), message.headers.get('recovered')]).toEqual([`${epoch}-130`, 'true']);
    unasked.close();
  });

  test('from a position of before, with its colon, escaped or not, misses nothing and repeats nothing', async () => {
    const [user, seatId] = [freshId(), freshId()];
    const topic = `/topic/reservations/${seatId}/${user}`;
    const json = await connect(host.url);
    json.send({ type: 'subscribe', topic });
    const epoch = String((await json.until(ofType('subscribed')))['position']).split('-')[0];
    await host.publish([settled(seatId, user, 'FAIL'), settled(seatId, user, 'SUCCESS')]);
    await json.until(({ position }) => position === `${epoch}-2`);

    for (const since of [`${epoch}:1`, `${epoch}\\c1`, `${epoch}-1`]) {
      json.send({ type: 'unsubscribe', topic });
      await json.until(ofType('unsubscribed'));
      json.send({ type: 'subscribe', topic, since });
      expect(await json.until(ofType('subscribed'))).toMatchObject({ recovered: true });
      expect(await json.next()).toMatchObject({ event: 'RESERVATION_STATUS', position: `${epoch}-2` });
      const response = await fetch(`${host.url}/api/reservations/v5/subscribe?userId=${user}&seatId=${seatId}`, {
        headers: { 'last-event-id': since },
      });
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      while (!text.includes('\n\n')) text += (await reader?.read())?.value ?? '';
      await reader?.cancel();
      expect(text.match(/^id: .*$/gm)).toEqual([`id: ${epoch}-2`]);
    }
    await json.close();
  });

  test('to a log topic over JSON, by another subscribe without position, continues where it was', async () => {
    const seatId = freshId();
    const topic = `/topic/reservations/${seatId}/${userId}`;
    const json = await connect(host.url);
    json.send({ type: 'subscribe', topic });
    await json.until(ofType('subscribed'));
    for (let round = 1; round <= 5; round++) {
      const publishing = host.publish([settled(seatId, userId, 'SUCCESS')]);
      json.send({ type: 'subscribe', topic });
      await publishing;
      expect(String((await json.until(({ event }) => event !== undefined))['position'])).toMatch(new RegExp(`-${round}$`));
    }
    await json.close();
  });
});

describe('registration', () => {
  test('is idempotent, and so is its removal', async () => {
    const [id, concertId] = [freshId(), freshId()];
    const answer = { status: 200, body: { transport: 'websocket', destination: `/topic/waiting-queue/${concertId}/${id}` } };

    expect(await register(QUEUE, { userId: id, concertId })).toEqual(answer);
    expect(await register(QUEUE, { userId: id, concertId })).toEqual(answer);
    for (let times = 0; times < 2; times++) {
      const response = await remove(`${QUEUE}?userId=${id}&concertId=${concertId}`);
      expect([response.status, await response.text()]).toEqual([204, '']);
    }
  });

  test('does nothing after its removal: the next subscription begins at the head', async () => {
    const [id, seatId] = [freshId(), freshId()];
    await register(SEATS, { userId: id, seatId });
    await host.publish([settled(seatId, id, 'FAIL')]);
    await remove(`${SEATS}?userId=${id}&seatId=${seatId}`);
    const json = await connect(host.url);
    const topic = `/topic/reservations/${seatId}/${id}`;
    const subscribed = async () => {
      json.send({ type: 'subscribe', topic });
      return String((await json.until(ofType('subscribed')))['position']);
    };
    // the event may not have been committed yet
    await host.eventually(subscribed, (position) => position.endsWith('-1'));
    await host.publish([settled(seatId, id, 'SUCCESS')]);

    expect(await json.until(({ position }) => String(position).endsWith('-2'))).toMatchObject({ status: 'SUCCESS' });
    await json.close();
  });

  test.each([
    ['an empty body', QUEUE, ''],
    ['no JSON', QUEUE, 'userId=1'],
    ['a list', QUEUE, []],
    ['no concert', QUEUE, { userId: 1 }],
    ['no user', QUEUE, { concertId: 1 }],
    ['no seat', SEATS, { userId: 1 }],
    ['a string', SEATS, { userId: '1', seatId: 1 }],
    ['a fraction', SEATS, { userId: 1.5, seatId: 1 }],
    ['a negative number', SEATS, { userId: 1, seatId: -1 }],
    ['a number that is too large', SEATS, { userId: 1, seatId: 2 ** 60 }],
  ])('with %s is answered 400', async (_, path, body) => {
    expect(await register(path, body)).toMatchObject({ status: 400, body: { error_code: 'INVALID_MESSAGE_FORMAT' } });
  });

  test('is removed only by whole numbers', async () => {
    for (const query of ['', '?userId=1', '?userId=1&concertId=x']) expect((await remove(QUEUE + query)).status).toBe(400);
  });

  test('of an unknown channel is not found', async () => {
    expect((await register('/api/push/websocket/parking/subscriptions', { userId: 1, lotId: 1 })).status).toBe(404);
  });
});
