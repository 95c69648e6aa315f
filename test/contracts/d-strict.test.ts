/** The habits of upstreams and clients in many languages: nulls, byte order marks, half characters, other charsets, large numbers. */
import { describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { connect, ofType } from '../helpers/client.ts';
import { activated, alert, deployment, freshId, freshTicker, halt, log, rank, service, settled, tick } from '../helpers/events.ts';
import { halves } from '../helpers/halves.ts';
import { sharedHost } from '../helpers/host.ts';
import { connected, frame, rawStomp } from '../helpers/stomp.ts';

const host = sharedHost();
const SMILE = '😀';

describe('null counts as absent', () => {
  test.concurrent.each([
    ['activeTtlSeconds and timestamp of a rank', rank(freshId(), freshId(), 3, { activeTtlSeconds: null, timestamp: null, status: null })],
    ['rank and status of an activation', activated(freshId(), freshId(), 60, { rank: null, status: null, timestamp: null })],
    ['the timestamp of a reservation', settled(freshId(), freshId(), 'FAIL', { timestamp: null })],
    ['the timestamp of a tick', tick(freshTicker(), 5, { timestamp: null })],
    ['the reason of a halt', halt(freshTicker(), { reason: null, timestamp: null })],
    ['details of a service', service({ details: null })],
    ['fields of details', service({ details: { pid: null, port: null, config_file: null } })],
    ['durations of steps', deployment({ steps: [{ name: 'build', status: 'pending', duration_ms: null, progress: null }] })],
    ['metadata and actions of an alert', alert({ metadata: null, actions: null, timestamp: null })],
    ['fields of log entries', log({ total_new_entries: null })],
    ['id and time of the envelope', { ...tick(freshTicker(), 5), id: null, time: null }],
  ])('in %s', async (_, event) => {
    const { status, body } = await host.post('/internal/events', { events: [event], lane: null });

    expect({ status, body }).toEqual({ status: 202, body: { accepted: 1, rejected: [] } });
  });

  test.concurrent('in what clients send', async () => {
    const client = await connect(host.url);
    const topic = `price:${freshTicker()}`;
    client.send({ type: 'subscribe', topic, topics: null, since: null, data: null, last: null });
    expect(await client.until(ofType('subscribed'))).toMatchObject({ topic });
    client.send({ type: 'unsubscribe', topic, topics: null });
    await client.until(ofType('unsubscribed'));
    client.send({ type: 'client_info', data: { client_id: `null-${freshId()}`, features: null, timezone: null, user_agent: null } });
    await client.until(ofType('connection_status'));
    client.send({ type: 'subscribe', topic: null, since: null, data: { event_types: ['alert'], filters: null } });
    expect(await client.until(ofType('subscribed'))).toMatchObject({ topic: 'ops:alert' });
    client.send({ type: 'subscribe', data: { event_types: ['alert'], filters: { alert_levels: null, service_ids: null } } });
    await client.until(ofType('subscribed'));
    client.send({ type: 'service_control', data: { service_id: 's', action: 'status', options: { force: null, timeout: null } } });
    expect(await client.until(ofType('error'))).toMatchObject({ data: { error_code: 'SERVICE_NOT_FOUND' } });
    await client.close();
  });
});

test.concurrent.each(['9007199254740993', '1e400', '-1'])(
  'of a list of quotes, one with a volume of %s is refused alone, with its path',
  async (volume) => {
    const [first, bad, last] = [freshTicker(), freshTicker(), freshTicker()];
    const quotes = [first, bad, last].map((ticker) => tick(ticker, 5).detail);
    const body = JSON.stringify({ events: [{ source: 'market.price', detailType: 'PricesTicked', detail: { quotes } }] }).replace(
      new RegExp(`("ticker":"${bad}".*?"volume":)\\d+`),
      `$1${volume}`,
    );
    const answer = await host.post('/internal/events', body);

    expect(answer).toMatchObject({ status: 202, body: { accepted: 1, rejected: [{ index: 0, path: 'quotes.1.volume' }] } });
    for (const ticker of [first, last])
      await host.eventually(
        () => host.get(`/internal/price/${ticker}`),
        ({ status }) => status === 200,
      );
    expect((await host.get(`/internal/price/${bad}`)).status).toBe(404);
  },
);

describe('text that leaves', () => {
  test.concurrent('is whole where an error quotes the start of a wrong message', async () => {
    const socket = new WebSocket(`${host.url.replace('http', 'ws')}/ws`);
    const texts: string[] = [];
    socket.on('message', (data: Buffer) => texts.push(data.toString('utf8')));
    await new Promise((done) => socket.once('open', done));
    for (let shift = 0; shift < 4; shift++) {
      const filler = 'x'.repeat(shift) + SMILE.repeat(200);
      for (const text of [
        filler,
        `{"type":"${filler}"}`,
        `{"type":"subscribe","topic":"${filler}"}`,
        `{"type":"subscribe","topic":"price:000000","since":"${filler}"}`,
        `{"type":"ping","data":{"client_time":"${filler}"}}`,
      ])
        socket.send(text);
    }
    await host.eventually(
      async () => texts.length,
      (count) => count >= 21,
    );
    socket.close();

    for (const text of texts) {
      expect(text.isWellFormed()).toBe(true);
      expect(halves(text)).toEqual([]);
      expect(text).not.toContain('\ufffd');
    }
  });

  test.concurrent('has U+FFFD in place of a half character that somebody published, and the event is kept', async () => {
    const client = await connect(host.url);
    await client.next();
    client.send({ type: 'subscribe', data: { event_types: ['alert'] } });
    await client.until(ofType('subscribed'));
    const mark = `m${freshId()}`;
    const { detail, ...rest } = alert({ title: 'TITLE', category: mark, metadata: { KEY: 1 } });
    const json = JSON.stringify({ events: [{ ...rest, detail, id: `half-ID-${mark}` }] });

    const { status } = await host.post(
      '/internal/events',
      json.replace('TITLE', '\\ud83d tail').replace('KEY', '\\udc00').replace('ID', '\\ud83d'),
    );

    expect(status).toBe(202);
    const got = await client.until(({ data }) => (data as { category?: string } | undefined)?.category === mark, 'the alert');
    expect(got).toMatchObject({ data: { title: '\ufffd tail', metadata: { '\ufffd': 1 } }, broadcast_id: `alert_half-\ufffd-${mark}` });
    await client.close();
  });

  test.concurrent('of an announcement that is too long, in STOMP too', async () => {
    const stomp = await rawStomp(host.url);
    stomp.send(frame('CONNECT', { 'accept-version': '1.2' }));
    await stomp.expect('CONNECTED');
    stomp.send(frame('SUBSCRIBE', { id: '1', destination: '/topic/reservations/1/1', ack: `x${SMILE.repeat(50)}` }));

    const error = await stomp.expect('ERROR');
    expect(error.headers.get('message')).toMatch(/^ack:x(😀)+ is not offered/u);
  });
});

describe('bytes that are not UTF-8', () => {
  // "서울" in CP949
  const CP949 = Buffer.from([0xbc, 0xad, 0xbf, 0xef]);
  const publish = async (contentType: string) => {
    const [before, after] = JSON.stringify({ events: [alert({ title: 'TITLE' })] }).split('TITLE');
    const response = await fetch(`${host.url}/internal/events`, {
      method: 'POST',
      headers: { 'content-type': contentType, 'x-api-key': host.key },
      body: Buffer.concat([Buffer.from(before ?? ''), CP949, Buffer.from(after ?? '')]),
    });
    return { status: response.status, body: (await response.json()) as { error_message: string } };
  };

  test.concurrent.each(['application/json', 'application/json; charset=utf-8', 'application/octet-stream', 'text/plain'])(
    'are refused as %s',
    async (contentType) => {
      expect(await publish(contentType)).toMatchObject({
        status: 400,
        body: { error_code: 'INVALID_MESSAGE_FORMAT', error_message: 'body: expected UTF-8' },
      });
    },
  );

  test.concurrent('are refused by the charset that is declared, whatever they are', async () => {
    expect(await publish('application/json; charset="ks_c_5601-1987"')).toMatchObject({
      status: 400,
      body: { error_message: 'body: expected UTF-8, got the charset ks_c_5601-1987' },
    });
  });
});

describe('numbers', () => {
  const post = (event: object, from: string, to: string) =>
    host.post('/internal/events', JSON.stringify({ events: [event] }).replace(from, to));

  test.concurrent.each([
    ['1e400', 'detail.metadata.deep.0.n: expected a finite number'],
    ['-1e400', 'detail.metadata.deep.0.n: expected a finite number'],
    ['9007199254740993', 'detail.metadata.deep.0.n: expected no whole number beyond 2^53 - 1: send a long id as text'],
  ])('%s in a published event is refused with its path', async (number, message) => {
    const { status, body } = await post(alert({ metadata: { deep: [{ n: 'N' }] } }), '"N"', number);

    expect(status).toBe(202);
    expect(body).toEqual({ accepted: 0, rejected: [{ index: 0, error_code: 'INVALID_MESSAGE_FORMAT', error_message: message }] });
  });

  test.concurrent('9007199254740991, small fractions and long ids as text are taken', async () => {
    const { body } = await post(alert({ metadata: { n: 'N', fraction: 0.1, id: '9007199254740993' } }), '"N"', '9007199254740991');

    expect(body).toEqual({ accepted: 1, rejected: [] });
  });

  test.concurrent('1e400 from a client is refused', async () => {
    const client = await connect(host.url);
    client.send('{"type":"service_control","data":{"service_id":"s","action":"stop","options":{"timeout":1e400}}}');

    expect(await client.until(ofType('error'))).toMatchObject({ data: { error_code: 'INVALID_MESSAGE_FORMAT' } });
    await client.close();
  });

  test.concurrent('a tick of price 0 is refused, and changes nothing of a halted share', async () => {
    const ticker = freshTicker();
    await host.publish([tick(ticker, 58_200), halt(ticker)]);
    const read = () => host.get(`/internal/price/${ticker}`);
    await host.eventually(read, ({ body }) => body['halted'] === true && body['price'] === 58_200);

    const { body } = await host.post('/internal/events', { events: [tick(ticker, 0, { bid_price: 0, ask_price: 0 })] });

    expect(body).toMatchObject({ accepted: 0, rejected: [{ error_message: 'detail.price: expected 1 or more' }] });
    expect((await read()).body).toMatchObject({ price: 58_200, halted: true });
  });
});

describe('a list with bad entries', () => {
  test.concurrent('of quotes: the good ones go through, each bad one is told with its path', async () => {
    const tickers = Array.from({ length: 5 }, freshTicker);
    const quotes = tickers.map((ticker, index) => tick(ticker, 100 + index).detail);
    const bad = quotes.map((quote, index) => (index === 2 ? { ...quote, price: -1 } : index === 4 ? { ...quote, ticker: 'no' } : quote));

    const { status, body } = await host.post('/internal/events', {
      events: [tick(freshTicker(), 1), { source: 'market.price', detailType: 'PricesTicked', detail: { quotes: bad } }],
      lane: 'direct',
    });

    expect(status).toBe(202);
    expect(body).toMatchObject({
      accepted: 2,
      rejected: [
        {
          index: 1,
          path: 'quotes.2.price',
          error_code: 'INVALID_MESSAGE_FORMAT',
          error_message: 'detail.quotes.2.price: expected 1 or more',
        },
        { index: 1, path: 'quotes.4.ticker' },
      ],
    });
    const prices = await host.eventually(
      async () => (await host.get(`/api/kr/realtime-prices?tickers=${tickers.join(',')}`)).body['prices'] as object,
      (found) => Object.keys(found).length === 3,
    );
    expect(Object.keys(prices).sort()).toEqual([tickers[0], tickers[1], tickers[3]].sort());
  });

  test.concurrent('of log entries: likewise; and if all are bad, the event is refused', async () => {
    const client = await connect(host.url);
    await client.next();
    client.send({ type: 'subscribe', data: { event_types: ['log_update'] } });
    await client.until(ofType('subscribed'));
    const event = log({ file_name: `f-${freshId()}` });
    const [entry] = event.detail['entries'] as object[];
    const withEntries = (...entries: object[]) => ({ ...event, detail: { ...event.detail, entries } });

    const { body } = await host.post('/internal/events', { events: [withEntries({ ...entry, level: '' }, { ...entry, message: 'good' })] });
    expect(body).toMatchObject({ accepted: 1, rejected: [{ index: 0, path: 'entries.0.level' }] });
    const got = await client.until(({ data }) => (data as { file_name?: string } | undefined)?.file_name === event.detail['file_name']);
    expect(got).toMatchObject({ data: { entries: [{ message: 'good' }] } });
    const all = await host.post('/internal/events', { events: [withEntries({ ...entry, level: 7 }, { ...entry, timestamp: 'x' })] });

    expect(all.body).toMatchObject({
      accepted: 0,
      rejected: [{ index: 0, error_message: expect.stringMatching(/^detail\.entries\.0\.level: /) }],
    });
    await client.close();
  });
});

describe('what is meant is served', () => {
  test.concurrent('a time with a plus that nobody escaped', async () => {
    const ticker = freshTicker();
    await host.publish([tick(ticker, 7, { timestamp: '2026-02-06T22:48:45.000000+00:00' })]);
    await host.eventually(
      () => host.get(`/internal/price/${ticker}`),
      ({ status }) => status === 200,
    );

    const { status, body } = await host.get(`/api/kr/stocks/${ticker}/history?since=2026-02-06T22:48:44.590151+00:00`);

    expect({ status, ticks: body['ticks'] }).toMatchObject({ status: 200, ticks: [{ price: 7 }] });
  });

  test.concurrent.each(['10000, 10000', ' 10000 ,10000 '])('heart-beat:%s', async (beat) => {
    const stomp = await connected(host.url, { connect: { 'heart-beat': beat } });
    stomp.close();
  });

  test.concurrent('a byte order mark before JSON, before CONNECT, and before a body', async () => {
    const client = await connect(host.url);
    client.send('\ufeff{"type":"subscribe","topic":"price:005930"}');
    await client.until(ofType('subscribed'));
    await client.close();
    const stomp = await rawStomp(host.url, { protocols: [] });
    stomp.send(`\ufeff${frame('CONNECT', { 'accept-version': '1.2' })}`);
    await stomp.expect('CONNECTED');
    stomp.close();
    const { status } = await host.post('/internal/events', `\ufeff${JSON.stringify({ events: [tick(freshTicker(), 1)] })}`);

    expect(status).toBe(202);
  });
});

describe('every JSON frame', () => {
  test.concurrent('has the envelope of the operations monitor', async () => {
    const client = await connect(host.url);
    const iso = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/);
    expect(await client.next()).toMatchObject({ type: 'connected', data: {}, timestamp: iso });
    client.send({ type: 'subscribe', topic: 'price:005930' });
    expect(await client.until(ofType('subscribed'))).toMatchObject({ data: {}, timestamp: iso });
    client.send({ type: 'unsubscribe', topic: 'price:005930' });
    expect(await client.until(ofType('unsubscribed'))).toMatchObject({ data: {}, timestamp: iso });
    for (const text of ['no JSON', '[]', '{}', '{"type":5}']) {
      client.send(text);
      expect(await client.until(ofType('error'))).toMatchObject({
        data: { details: { expected_fields: ['type', 'data'] } },
        timestamp: iso,
      });
    }
    await client.close();
  });

  test.concurrent.each(['__proto__', 'constructor', 'prototype', 'loudness'])('refuses the filter %s by its name', async (name) => {
    const client = await connect(host.url);
    client.send(`{"type":"subscribe","data":{"event_types":["alert"],"filters":{"${name}":["info"]}}}`);
    expect(await client.until(ofType('error'))).toMatchObject({ data: { error_message: expect.stringContaining(`no filter ${name};`) } });
    client.send(`{"type":"subscribe","data":{"event_types":["alert"]},"since":{"${name}":"e-1"}}`);
    expect(await client.until(ofType('error'))).toMatchObject({ data: { error_code: 'INVALID_MESSAGE_FORMAT' } });
    await client.close();
  });
});

test.concurrent.each(['json', '', '#', '../x', '한글 😀', '__proto__', 'sub#json#'])(
  'STOMP subscriptions may be called %j, and the id is taken then',
  async (id) => {
    const [one, other] = [freshId(), freshId()].map((userId) => `/topic/reservations/${freshId()}/${userId}`);
    const version = id === '' ? '1.0' : '1.2';
    const stomp = await connected(host.url, { version, protocols: [`v${version.replace('.', '')}.stomp`] });
    const subscribe = (destination: string, receipt: string) =>
      stomp.send(frame('SUBSCRIBE', { ...(id === '' ? {} : { id }), destination, receipt }));
    subscribe(String(one), 'r1');
    expect((await stomp.expect('RECEIPT')).headers.get('receipt-id')).toBe('r1');

    // in 1.0 without id there is one subscription a topic
    subscribe(id === '' ? String(one) : String(other), 'r2');
    expect((await stomp.expect('ERROR')).headers.get('message')).toContain('is taken');
  },
);
