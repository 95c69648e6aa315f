/** The operations monitor's limits, by URL, on local runs of this file (`docs/protocol.md`, "Errors and limits"). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { LOCAL_AUDIENCE, LOCAL_ISSUER, LOCAL_JWKS_URI } from '../../local/issuer.ts';
import { type Client, connect, type Message, ofType } from '../helpers/client.ts';
import { alert, freshId, freshTicker, log, status, tick } from '../helpers/events.ts';
import { type OwnRun, runWith } from '../helpers/local.ts';
import { shortLived } from '../helpers/short-lived.ts';
import { connected, frame } from '../helpers/stomp.ts';

let own: OwnRun;
let secure: OwnRun;
beforeAll(async () => {
  own = await runWith({ ALLOW_ANONYMOUS_CONTROL: 'true' });
  secure = await runWith({ AUTH_MODE: 'jwt', JWT_ISSUER: LOCAL_ISSUER, JWT_AUDIENCE: LOCAL_AUDIENCE, JWT_JWKS_URI: LOCAL_JWKS_URI });
}, 120_000);
afterAll(() => Promise.all([own.run.stop(), secure.run.stop()]));

const connectBriefly = shortLived();
const dial = (run: OwnRun, options?: Parameters<typeof connectBriefly>[1]) => connectBriefly(run.url, options);
// hooks run last first: the clients are closed when their ends are no longer lost
afterEach(() => {
  for (const run of [own, secure]) Object.assign(run.run.levers, { loseDisconnects: 0 });
});

const announce = (one: Client, clientId: string): void => one.send({ type: 'client_info', data: { client_id: clientId } });
const announced = async (clientId: string): Promise<Client> => {
  const one = await dial(own);
  announce(one, clientId);
  await one.until(ofType('connection_status'));
  return one;
};
const dataOf = (message: Message): Record<string, unknown> => message['data'] as Record<string, unknown>;
const connections = async (run: OwnRun): Promise<unknown> => (await run.get('/api/health')).body['connections'];

describe('connections of one client', () => {
  test('are limited to five: the sixth with the same id and address gets an error, is not served, and is closed a minute later', async () => {
    const id = `client-${freshId()}`;
    const five = [];
    for (let index = 0; index < 5; index++) five.push(await announced(id));

    const sixth = await dial(own);
    announce(sixth, id);
    const error = await sixth.until(ofType('error'));
    sixth.send({ type: 'subscribe', topic: 'price:005930' });
    await own.run.settled();
    expect(sixth.received.filter(ofType('subscribed'))).toEqual([]);
    expect(sixth.socket.readyState).toBe(sixth.socket.OPEN);
    own.run.clock.advance(61_000);
    await sixth.closed();

    expect(dataOf(error)).toMatchObject({ error_code: 'TOO_MANY_CONNECTIONS', details: { limit: 5 } });
    for (const one of five) await one.quiet(ofType('error'));
    const other = await announced(`other-${freshId()}`);
    await other.quiet(ofType('error'));
  });

  test('that vanished do not count', async () => {
    const id = `client-${freshId()}`;
    own.run.levers.loseDisconnects = 1;
    const gone = [];
    for (let index = 0; index < 5; index++) gone.push(await announced(id));
    await Promise.all(gone.map((one) => one.close()));
    // a younger one may still be connecting
    own.run.clock.advance(31_000);

    const next = await announced(id);

    await next.quiet(ofType('error'));
    own.run.levers.loseDisconnects = 0;
  });

  test('that ended no longer count', async () => {
    const id = `client-${freshId()}`;
    const five = [];
    for (let index = 0; index < 5; index++) five.push(await announced(id));
    const before = Number(await connections(own));
    await five[0]?.close();
    await own.eventually(
      () => connections(own),
      (count) => count === before - 1,
    );

    const next = await announced(id);
    await next.quiet(ofType('error'));
  });

  test('that announced nothing are not counted', async () => {
    const many = [];
    for (let index = 0; index < 8; index++) many.push(await dial(own));

    for (const one of many) await one.quiet(ofType('error'));
  });

  test('are limited by user with identity: the sixth handshake is answered 429, a STOMP CONNECT with an ERROR', async () => {
    const user = `user-${freshId()}`;
    const token = await secure.run.mint({ user, seconds: 600, roles: ['ops:read'] });
    const headers = { authorization: `Bearer ${token}` };
    for (let index = 0; index < 5; index++) await dial(secure, { headers });

    await expect(dial(secure, { headers })).rejects.toThrow('429');
    await expect(connected(secure.url, { connect: { Authorization: `Bearer ${token}` } })).rejects.toThrow(/ERROR.*TOO_MANY_CONNECTIONS/);
    const other = await secure.run.mint({ user: `user-${freshId()}`, seconds: 600 });
    const stomp = await connected(secure.url, { connect: { Authorization: `Bearer ${other}` } });
    stomp.close();
    expect(
      await secure.eventually(
        () => connections(secure),
        (count) => count === 5,
      ),
    ).toBe(5);
  });
});

describe('messages in a second', () => {
  test('are limited to 10: of 40 at once the others get RATE_LIMIT_EXCEEDED, and the connection stays open', async () => {
    const one = await dial(own);
    await one.next();

    for (let index = 0; index < 40; index++) one.send({ type: 'ping', data: { client_time: new Date().toISOString() } });
    for (let answers = 0; answers < 40; answers++) await one.until(({ type }) => type === 'pong' || type === 'error');
    own.run.clock.advance(1_500);
    one.send({ type: 'ping', data: { client_time: new Date().toISOString() } });

    await one.until(ofType('pong'));
    expect(one.received.filter(ofType('pong'))).toHaveLength(11);
    const errors = one.received.filter(ofType('error')).map(dataOf);
    expect(errors).toHaveLength(30);
    for (const error of errors) expect(error).toMatchObject({ error_code: 'RATE_LIMIT_EXCEEDED', details: { limit_per_second: 10 } });
  });

  test('do not count subscribes to fifty tickers at once, which are all served', async () => {
    const tickers = Array.from({ length: 50 }, freshTicker);
    const one = await dial(own);
    for (let index = 0; index < 9; index++) one.send({ type: 'ping', data: { client_time: new Date().toISOString() } });
    for (const ticker of tickers) one.send({ type: 'subscribe', topic: `price:${ticker}` });
    one.send({ type: 'ping', data: { client_time: new Date().toISOString() } });

    const answered = new Set<unknown>();
    while (answered.size < 50) answered.add((await one.until(ofType('subscribed')))['topic']);
    while (one.received.filter(ofType('pong')).length < 10) await one.until(ofType('pong'));

    expect(one.received.filter(ofType('error'))).toEqual([]);
  });

  test('are limited to a hundred frames over STOMP: more get an ERROR and end the connection', async () => {
    const stomp = await connected(own.url);
    for (let part = 0; part < 2; part++)
      stomp.send(
        Array.from({ length: 60 }, (_, index) => frame('SUBSCRIBE', { id: `s${part}-${index}`, destination: 'ops:alert' })).join(''),
      );

    const { headers } = await stomp.expect('ERROR');
    expect(headers.get('error-code')).toBe('RATE_LIMIT_EXCEEDED');
    await stomp.closed();
  });

  test('a published event that is too large is rejected with PAYLOAD_TOO_LARGE', async () => {
    const small = await runWith({ MAX_MESSAGE_BYTES: '1000' });
    try {
      const answer = await small.post('/internal/events', { events: [alert({ message: 'x'.repeat(1_001) }), alert()] });
      expect(answer).toMatchObject({ status: 202, body: { accepted: 1, rejected: [{ index: 0, error_code: 'PAYLOAD_TOO_LARGE' }] } });
    } finally {
      await small.run.stop();
    }
  });
});

describe('silence', () => {
  /** Runs this many sweeps, one a minute. */
  const minutes = async (count: number, each: () => Promise<void> = async () => undefined): Promise<void> => {
    for (let minute = 0; minute < count; minute++) {
      await each();
      own.run.clock.advance(60_000);
      await own.run.invoke('sweep');
      await own.run.settled();
    }
  };

  test('of 5 minutes ends a connection, announced or not, unless messages are delivered to it', async () => {
    const [silent, quiet, active] = [await dial(own), await dial(own), await announced(`client-${freshId()}`)];
    quiet.send({ type: 'client_info', data: { client_id: `client-${freshId()}`, features: ['explicit'] } });
    await quiet.until(ofType('connection_status'));

    await minutes(7, () => own.publish([status({ uptime: freshId() })]));

    await Promise.all([silent.closed(), quiet.closed()]);
    await active.quiet(ofType('error'));
    expect(active.received.filter(ofType('status_update')).length).toBeGreaterThan(3);
    await minutes(7);
    await active.closed();
  });
});

describe('broadcasts', () => {
  test('fifty states a second arrive as at most five a second, and the last is the newest', { timeout: 60_000 }, async () => {
    const one = await announced(`client-${freshId()}`);
    const SECONDS = 4;
    const began = Date.now();
    let published = 0;
    while (published < 50 * SECONDS) {
      await own.publish([status({ uptime: ++published })]);
      const due = began + (published * 1000) / 50;
      if (due > Date.now()) await new Promise((done) => setTimeout(done, due - Date.now()));
    }
    const last = await one.until((message) => message['type'] === 'status_update' && dataOf(message)['uptime'] === published);
    const took = (Date.now() - began) / 1000;
    await one.quiet(ofType('status_update'));

    // the first is the status of an earlier test
    const uptimes = one.received
      .filter(ofType('status_update'))
      .map((message) => Number(dataOf(message)['uptime']))
      .filter((uptime) => uptime <= published);
    expect(uptimes).toEqual([...uptimes].sort((a, b) => a - b));
    expect(dataOf(last)['uptime']).toBe(published);
    // one more for the window at the start and one for that at the end
    expect(uptimes.length).toBeLessThanOrEqual(5 * took + 2);
  });

  test('fifty alerts a second all arrive, in order', { timeout: 60_000 }, async () => {
    const one = await announced(`client-${freshId()}`);
    const COUNT = 200;
    const numberOf = (message: Message): unknown => (message['type'] === 'alert' ? (dataOf(message)['metadata'] as { n: number }).n : null);
    for (let count = 0; count < COUNT; count += 10) {
      await own.publish(Array.from({ length: 10 }, (_, index) => alert({ metadata: { n: count + index } })));
      // a drain that the clock's jumps carry past its turn would be repeated
      await own.run.settled();
      own.run.clock.advance(200);
    }
    await one.until((message) => numberOf(message) === COUNT - 1);
    // whatever else was on its way has come then
    await one.quiet(() => false);

    // on a busy machine a worker may outlast its turn; then the client gets a message twice, and drops the second
    const seen = new Set<unknown>();
    const alerts = one.received.filter(
      (message) => ofType('alert')(message) && !seen.has(message['position']) && seen.add(message['position']),
    );
    const offsets = alerts.map(({ position }) => Number(String(position).split('-')[1]));
    expect(alerts).toHaveLength(COUNT);
    expect(offsets).toEqual(offsets.map((_, index) => (offsets[0] ?? 0) + index));
    expect(new Set(alerts.map(numberOf)).size).toBe(COUNT);
  });
});

describe('roles', () => {
  const withRoles = async (...roles: string[]): Promise<Client> => {
    const token = await secure.run.mint({ user: `user-${freshId()}`, seconds: 600, roles });
    return dial(secure, { headers: { authorization: `Bearer ${token}` } });
  };

  test('a client that may not see operations is refused by topic, and gets nothing by default', async () => {
    const [one, reader] = [await withRoles(), await withRoles('ops:read')];
    for (const client of [one, reader]) {
      announce(client, `client-${freshId()}`);
      await client.until(ofType('connection_status'));
    }

    one.send({ type: 'subscribe', data: { event_types: ['alert', 'log_update'] } });
    const error = await one.until(ofType('error'));
    await secure.publish([alert(), log()]);
    await reader.until(ofType('alert'));

    expect(dataOf(error)).toMatchObject({ error_code: 'PERMISSION_DENIED', details: { topics: ['ops:alert', 'ops:log_update'] } });
    await one.quiet(({ type }) => type === 'alert' || type === 'log_update' || type === 'status_update');
  });

  test('service_control and send_webhook need the role ops:control', async () => {
    const reader = await withRoles('ops:read');
    const operator = await withRoles('ops:control');
    for (const one of [reader, operator]) {
      one.send({ type: 'service_control', data: { service_id: 'x', action: 'restart' } });
      one.send({ type: 'send_webhook', data: { webhook_type: 'x', url: 'https://hooks.example/x', message: 'x' } });
    }
    const codes = async (one: Client) => {
      const both = [await one.until(ofType('error')), await one.until(ofType('error'))].map((message) => dataOf(message));
      return both.map(({ error_code, error_message }) => `${String(error_code)} ${String(error_message).includes('ops:control')}`).sort();
    };

    expect(await codes(reader)).toEqual(['PERMISSION_DENIED true', 'PERMISSION_DENIED true']);
    expect(await codes(operator)).toEqual(['PERMISSION_DENIED false', 'SERVICE_NOT_FOUND false']);
  });

  test('a large message is served to callers who may see its topic, and to no others', async () => {
    const reader = await withRoles('ops:read');
    announce(reader, `client-${freshId()}`);
    await reader.until(ofType('connection_status'));
    await secure.publish([alert({ message: 'x'.repeat(900_000) })]);
    const { ref } = await reader.until(({ ref: found }) => found !== undefined);
    const tokenOf = async (...roles: string[]) => ({
      authorization: `Bearer ${await secure.run.mint({ user: 'somebody', seconds: 600, roles })}`,
    });

    expect(await secure.get(String(ref))).toMatchObject({ status: 401, body: { error_code: 'AUTHENTICATION_REQUIRED' } });
    expect(await secure.get(String(ref), await tokenOf())).toMatchObject({ status: 403, body: { error_code: 'PERMISSION_DENIED' } });
    expect(await secure.get(String(ref), await tokenOf('ops:read'))).toMatchObject({ status: 200, body: { type: 'alert' } });
  });
});

test('connecting, announcing, subscribing, broadcasts and the end are logged', async () => {
  const before = own.logs.length;
  const one = await dial(own);
  announce(one, `client-${freshId()}`);
  await one.until(ofType('connection_status'));
  one.send({ type: 'subscribe', data: { event_types: ['alert'] } });
  await one.until(ofType('subscribed'));
  await own.publish([alert()]);
  await one.until(ofType('alert'));
  await one.close();
  const logged = (message: string) =>
    own.eventually(
      async () => own.logs.slice(before).filter((line) => line.includes(`"message":"${message}"`)).length,
      (lines) => lines > 0,
    );
  for (const message of ['connected', 'client info', 'subscribe', 'accepted', 'committed', 'delivered', 'disconnected'])
    await logged(message);
});

describe('figures', () => {
  test('connection_status has the number of connections, and the time since the first', async () => {
    // connections of the tests before may still be ending
    await own.run.settled();
    const before = Number(await connections(own));
    const others = [await dial(own), await dial(own)];
    own.run.clock.advance(7_000);
    const one = await dial(own);
    announce(one, `client-${freshId()}`);
    const answer = dataOf(await one.until(ofType('connection_status')));

    expect(answer['client_count']).toBe(before + others.length + 1);
    expect(answer['uptime_seconds']).toBeGreaterThanOrEqual(7);
  });
});

test('a deployment without identity refuses service_control unless it is allowed by a setting', async () => {
  const deployed = await runWith({ ALLOW_ANONYMOUS_CONTROL: 'false' });
  try {
    const one = await connect(deployed.url);
    one.send({ type: 'service_control', data: { service_id: 'x', action: 'status' } });
    expect(dataOf(await one.until(ofType('error')))).toMatchObject({ error_code: 'PERMISSION_DENIED' });
    await deployed.publish([tick(freshTicker(), 1)]);
    await one.close();
  } finally {
    await deployed.run.stop();
  }
});
