/** The operations monitor over the WebSocket, by URL (`docs/protocol.md`, "Operations"): every message, both ways. */
import { describe, expect, test } from 'vitest';
import { type Client, type Message, ofType } from '../helpers/client.ts';
import { alert, deployment, freshId, log, logEntry, OPERATIONS, type PublishedEvent, service, status, webhook } from '../helpers/events.ts';
import { sharedHost } from '../helpers/host.ts';
import { shortLived } from '../helpers/short-lived.ts';
import { connected, frame } from '../helpers/stomp.ts';

const host = sharedHost();
const dial = shortLived();
const client = () => dial(host.url);

type Type = keyof typeof OPERATIONS;
const TYPES = Object.keys(OPERATIONS) as Type[];

/** A client that announced itself and got its connection_status. */
const dashboard = async (features?: string[]): Promise<Client> => {
  const one = await client();
  one.send({ type: 'client_info', data: { client_id: `dashboard_${freshId()}`, ...(features ? { features } : {}) } });
  await one.until(ofType('connection_status'));
  return one;
};
const subscriberOf = async (eventTypes: readonly string[], filters?: object, since?: unknown): Promise<Client> => {
  const one = await client();
  one.send({ type: 'subscribe', data: { event_types: eventTypes, ...(filters ? { filters } : {}) }, ...(since ? { since } : {}) });
  for (const _ of eventTypes) await one.until(ofType('subscribed'));
  return one;
};
const dataOf = (message: Message): Record<string, unknown> => message['data'] as Record<string, unknown>;
/** The topics are shared by all tests: each looks for its own mark. */
const freshMark = () => `mark-${freshId()}`;
const carries = (mark: string) => (message: Message) => JSON.stringify(message).includes(mark);
/** For each type an event that carries the mark in one of its fields. */
const eventWith: Record<Type, (mark: string) => PublishedEvent> = {
  status_update: (mark) => status({ network_status: mark }),
  service_event: (mark) => service({ message: mark }),
  alert: (mark) => alert({ title: mark }),
  log_update: (mark) => log({ entries: [logEntry('INFO', mark)] }),
  webhook_event: (mark) => webhook({ message: mark }),
  posco_event: (mark) => deployment({ message: mark }),
};
/** Publishes until the event is delivered: on a state topic the event of another test may replace it. */
async function untilDelivered(one: Client, mark: string, event: PublishedEvent): Promise<Message> {
  await host.publish([event]);
  if (event.detailType !== 'StatusUpdated') return one.until(carries(mark));
  await host.eventually(
    async () => {
      if (one.received.some(carries(mark))) return true;
      const { timestamp: _, ...detail } = event.detail;
      await host.publish([{ ...event, detail }]);
      return false;
    },
    (delivered) => delivered,
  );
  return one.received.find(carries(mark)) as Message;
}
const PREFIX: Record<Type, string> = {
  status_update: 'status_',
  service_event: 'service_',
  alert: 'alert_',
  log_update: 'log_',
  webhook_event: 'webhook_',
  posco_event: 'posco_',
};

describe('a broadcast', () => {
  test.each(TYPES)('%s has its data, a timestamp, its own id and a position', async (type) => {
    const mark = freshMark();
    const one = await subscriberOf([type]);
    const event = eventWith[type](mark);
    // on a state topic an event older than that of another test would change nothing
    const timestamp = new Date().toISOString();

    const received = await untilDelivered(one, mark, { ...event, detail: { ...event.detail, timestamp, unknown: 'dropped' } });

    const { url, ...detail } = event.detail;
    expect(received).toEqual({
      type,
      data: { ...detail, ...(url ? { url: 'https://chat.example/api/webhooks/...' } : {}) },
      timestamp: type === 'status_update' ? expect.any(String) : timestamp,
      broadcast_id: expect.stringMatching(new RegExp(`^${PREFIX[type]}.+`)),
      position: expect.stringMatching(/^[0-9a-z]+-\d+$/),
    });
  });

  test('has every field that the original always has', async () => {
    const mark = freshMark();
    const one = await subscriberOf(['alert', 'service_event', 'posco_event', 'log_update']);
    const bare = (event: PublishedEvent, ...names: string[]): PublishedEvent => ({
      ...event,
      detail: Object.fromEntries(Object.entries(event.detail).filter(([name]) => !names.includes(name))),
    });

    await host.publish([
      bare(alert({ title: mark }), 'actions', 'metadata'),
      bare(service({ message: mark }), 'details'),
      bare(deployment({ message: mark }), 'steps'),
      bare(log({ entries: [{ timestamp: '2024-01-01T12:00:00Z', level: 'info', message: mark }] }), 'total_new_entries'),
    ]);
    const byType = new Map<unknown, Message>();
    while (byType.size < 4) {
      const message = await one.until(carries(mark));
      byType.set(message['type'], dataOf(message));
    }

    expect(byType.get('alert')).toMatchObject({ actions: [], metadata: {} });
    expect(byType.get('service_event')).toMatchObject({ details: {} });
    expect(byType.get('posco_event')).toMatchObject({ steps: [] });
    expect(byType.get('log_update')).toEqual({
      file_name: 'watchhamster.log',
      entries: [
        { timestamp: '2024-01-01T12:00:00Z', level: 'INFO', logger_name: '', message: mark, module: '', line_number: 0, thread_id: '' },
      ],
      total_new_entries: 1,
    });
  });

  test.each([
    ['StatusUpdated', status({ cpu_percent: -1 }), 'cpu_percent'],
    ['StatusUpdated', status({ active_services: 1.5 }), 'active_services'],
    ['ServiceChanged', service({ event_type: 'exploded' }), 'event_type'],
    ['ServiceChanged', service({ details: { pid: 1.5 } }), 'details.pid'],
    ['AlertRaised', alert({ level: 'fatal' }), 'level'],
    ['AlertRaised', alert({ metadata: 'no object' }), 'metadata'],
    ['LogAppended', log({ entries: [] }), 'entries'],
    ['LogAppended', log({ entries: [{ ...logEntry('INFO', 'x'), line_number: 'ten' }] }), 'entries.0.line_number'],
    ['WebhookSettled', webhook({ response_code: 'ok' }), 'response_code'],
    ['PoscoChanged', deployment({ progress: 101 }), 'progress'],
    ['PoscoChanged', deployment({ steps: [{ name: 'x', status: 'lost' }] }), 'steps.0.status'],
  ])('%s with a wrong field is rejected with the name of the field (%#)', async (_, event, field) => {
    const answer = await host.post('/internal/events', { events: [event] });

    expect(answer.body).toMatchObject({ accepted: 0, rejected: [{ index: 0, error_code: 'INVALID_MESSAGE_FORMAT' }] });
    expect(JSON.stringify(answer.body)).toContain(`detail.${field}:`);
  });

  test('reaches a STOMP client on the same topic, as the body of a frame', async () => {
    const mark = freshMark();
    const stomp = await connected(host.url);
    stomp.send(frame('SUBSCRIBE', { id: 'a', destination: 'ops:alert', receipt: 'a' }));
    await stomp.expect('RECEIPT');

    await host.publish([alert({ title: mark })]);
    for (;;) {
      const { body, headers } = await stomp.expect('MESSAGE');
      if (!body.includes(mark)) continue;
      expect(JSON.parse(body)).toMatchObject({ type: 'alert', data: { title: mark } });
      expect(headers.get('destination')).toBe('ops:alert');
      break;
    }
    stomp.close();
  });
});

describe('a client that announced itself', () => {
  test('gets connection_status, and all six broadcasts without subscribing', async () => {
    const one = await client();
    one.send({
      type: 'client_info',
      data: {
        client_id: `dashboard_${freshId()}`,
        client_type: 'web_dashboard',
        user_agent: 'Mozilla/5.0',
        screen_resolution: '1920x1080',
        timezone: 'Asia/Seoul',
        language: 'ko-KR',
        features: ['real_time_updates'],
        timestamp: '2024-01-01T12:00:00Z',
      },
      timestamp: '2024-01-01T12:00:00Z',
    });
    expect((await one.next())['type']).toBe('connected');
    const answer = await one.next();
    const marks = Object.fromEntries(TYPES.map((type) => [type, freshMark()]));
    for (const type of TYPES) await untilDelivered(one, marks[type] ?? '', eventWith[type](marks[type] ?? ''));

    expect(answer).toEqual({
      type: 'connection_status',
      data: {
        status: 'connected',
        server_version: (await host.get('/api/health')).body['version'],
        server_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        client_count: expect.any(Number),
        uptime_seconds: expect.any(Number),
        features: expect.arrayContaining(['real_time_metrics', 'log_streaming', 'webhook_notifications', 'posco_integration']),
      },
      timestamp: expect.any(String),
      broadcast_id: expect.stringMatching(/^connection_.+/),
    });
    expect(dataOf(answer)['client_count']).toBeGreaterThan(0);
    expect(one.received.filter(ofType('subscribed'))).toEqual([]);
    expect(one.received.filter(ofType('error'))).toEqual([]);
  });

  test('gets the newest status at once', async () => {
    const mark = freshMark();
    const first = await subscriberOf(['status_update']);
    await untilDelivered(first, mark, status({ network_status: mark }));

    const one = await dashboard();

    expect(await one.until(ofType('status_update'))).toMatchObject({ type: 'status_update' });
  });

  test('with the feature explicit gets no broadcasts by default', async () => {
    const mark = freshMark();
    const [quiet, other] = [await dashboard(['explicit']), await dashboard()];

    await host.publish([alert({ title: mark })]);
    await other.until(carries(mark));

    await quiet.quiet(carries(mark));
  });

  test('without a client id gets an error instead', async () => {
    const one = await client();
    one.send({ type: 'client_info', data: { user_agent: 'x' } });

    expect(dataOf(await one.until(ofType('error')))).toMatchObject({
      error_code: 'INVALID_MESSAGE_FORMAT',
      error_message: expect.stringContaining('message.data.client_id'),
      details: { expected_fields: ['type', 'data'] },
    });
  });

  test('chooses with its first subscribe: from then on it gets only the chosen types', async () => {
    const [mark, other] = [freshMark(), freshMark()];
    const one = await dashboard();

    one.send({ type: 'subscribe', data: { event_types: ['alert'] } });
    await one.until(ofType('subscribed'));
    const witness = await subscriberOf(['service_event']);
    await host.publish([service({ message: other }), alert({ title: mark })]);
    await Promise.all([one.until(carries(mark)), witness.until(carries(other))]);
    await one.quiet(carries(other));
    const more = one.received.filter(ofType('subscribed')).length;
    one.send({ type: 'subscribe', data: { event_types: ['service_event'] } });
    await one.until(ofType('subscribed'));
    const [both, again] = [freshMark(), freshMark()];
    await host.publish([service({ message: both }), alert({ title: again })]);
    for (const wanted of [both, again]) if (!one.received.some(carries(wanted))) await one.until(() => one.received.some(carries(wanted)));

    expect(more).toBe(1);
  });

  test('chooses with its first unsubscribe too', async () => {
    const mark = freshMark();
    const [one, other] = [await dashboard(), await dashboard()];

    one.send({ type: 'unsubscribe', data: { event_types: ['log_update'] } });
    expect(await one.until(ofType('unsubscribed'))).toMatchObject({ topic: 'ops:log_update' });
    await host.publish([alert({ title: mark })]);
    await other.until(carries(mark));

    await one.quiet(carries(mark));
  });

  test('keeps its subscriptions by topic when it chooses', async () => {
    const mark = freshMark();
    const one = await dashboard();

    one.send({ type: 'subscribe', topic: 'ops:alert' });
    await one.until(ofType('subscribed'));
    one.send({ type: 'subscribe', data: { event_types: ['service_event'] } });
    await one.until(ofType('subscribed'));
    await host.publish([alert({ title: mark })]);

    await one.until(carries(mark));
  });

  test('and chooses at the same time gets only the chosen types', async () => {
    const [mark, other] = [freshMark(), freshMark()];
    const one = await client();
    one.send({ type: 'client_info', data: { client_id: `dashboard_${freshId()}` } });
    one.send({ type: 'subscribe', data: { event_types: ['alert'] } });
    await one.until(() => one.received.some(ofType('subscribed')) && one.received.some(ofType('connection_status')));
    // the announcement may not be served yet
    await one.quiet(() => false);

    const witness = await subscriberOf(['service_event']);
    await host.eventually(
      async () => {
        await host.publish([service({ message: other }), alert({ title: mark })]);
        return one.received.filter(carries(mark)).length;
      },
      (count) => count > 0,
    );
    await witness.until(carries(other));
    await one.quiet(carries(other));
  });
});

describe('subscribe', () => {
  test('is answered with one subscribed per type, in order, and one error for the impossible types', async () => {
    const one = await client();
    await one.next();

    one.send({ type: 'subscribe', data: { event_types: ['alert', 'weather', 'log_update', 'alert'] }, timestamp: '2024-01-01T12:00:00Z' });

    // alerts of other tests may come in between
    const answer = () => one.until(({ type }) => type === 'subscribed' || type === 'error');
    expect(await answer()).toMatchObject({ type: 'subscribed', topic: 'ops:alert', message: 'Subscribed to ops:alert' });
    expect(await answer()).toMatchObject({ type: 'subscribed', topic: 'ops:log_update' });
    expect(dataOf(await answer())).toMatchObject({ error_code: 'INVALID_MESSAGE_FORMAT', details: { topics: ['ops:weather'] } });
  });

  test('delivers no earlier message of a log, or with a position every message since', async () => {
    const marks = [freshMark(), freshMark(), freshMark()];
    const first = await subscriberOf(['alert']);
    await host.publish([alert({ title: marks[0] })]);
    const { position } = await first.until(carries(marks[0] ?? ''));
    await host.publish(marks.slice(1).map((title) => alert({ title })));
    for (const _ of marks.slice(1)) await first.until((message) => marks.slice(1).some((mark) => carries(mark)(message)));

    const without = await subscriberOf(['alert']);
    await without.quiet((message) => marks.some((mark) => carries(mark)(message)));
    const back = await client();
    back.send({ type: 'subscribe', data: { event_types: ['alert'] }, since: position });
    const subscribed = await back.until(ofType('subscribed'));
    const replayed = [await back.until(ofType('alert')), await back.until(ofType('alert'))];

    expect(subscribed).toMatchObject({ recovered: true });
    expect(new Set(replayed.map((message) => dataOf(message)['title']))).toEqual(new Set(marks.slice(1)));
  });

  test.each([
    [{}, 'data.event_types'],
    [{ event_types: [] }, 'data.event_types'],
    [{ event_types: 'alert' }, 'data.event_types'],
    [{ event_types: ['alert'], filters: { alert_levels: ['fatal'] } }, 'data.filters.alert_levels.0'],
    [{ event_types: ['alert'], filters: { service_ids: 'all' } }, 'data.filters.service_ids'],
  ])('with wrong data gets an error that names the field (%#)', async (data, path) => {
    const one = await client();
    one.send({ type: 'subscribe', data });

    expect(dataOf(await one.until(ofType('error')))).toMatchObject({
      error_code: 'INVALID_MESSAGE_FORMAT',
      error_message: expect.stringContaining(path),
      details: { expected_fields: ['type', 'data'], received_message: expect.stringContaining('subscribe') },
    });
  });

  test('to the same type again replaces the filter', async () => {
    const one = await subscriberOf(['alert'], { alert_levels: ['critical'] });
    const [dropped, passed] = [freshMark(), freshMark()];
    await host.publish([alert({ title: dropped, level: 'info' }), alert({ title: passed, level: 'critical' })]);
    await one.until(carries(passed));

    one.send({ type: 'subscribe', data: { event_types: ['alert'], filters: { alert_levels: [] } } });
    await one.until(ofType('subscribed'));
    const now = freshMark();
    await host.publish([alert({ title: now, level: 'info' })]);
    await one.until(carries(now));

    expect(one.received.filter(carries(dropped))).toEqual([]);
  });
});

describe('filters', () => {
  test('service_ids keep the events of some services', async () => {
    const [mine, other] = [freshMark(), freshMark()];
    const one = await subscriberOf(['service_event'], { service_ids: [mine], alert_levels: ['critical'] });

    await host.publish([service({ service_id: other }), service({ service_id: mine })]);

    await one.until(carries(mine));
    expect(one.received.filter(carries(other))).toEqual([]);
  });

  test('log_levels drop entries, count the rest, and send no update without entries', async () => {
    const mark = freshMark();
    const one = await subscriberOf(['log_update'], { log_levels: ['error', 'WARNING'] });

    await host.publish([log({ entries: [logEntry('INFO', mark)] })]);
    await host.publish([
      log({ entries: [logEntry('info', mark), logEntry('ERROR', mark), logEntry('Warning', mark)], total_new_entries: 3 }),
    ]);
    const received = await one.until(carries(mark));

    expect((dataOf(received)['entries'] as { level: string }[]).map(({ level }) => level)).toEqual(['ERROR', 'WARNING']);
    expect(dataOf(received)['total_new_entries']).toBe(2);
  });

  test('apply to a replay from a position, too', async () => {
    const mark = freshMark();
    const first = await subscriberOf(['alert']);
    const begin = freshMark();
    await host.publish([alert({ title: begin })]);
    const { position } = await first.until(carries(begin));
    await host.publish([alert({ title: mark, level: 'info' })]);
    await first.until(carries(mark));
    await host.publish([alert({ title: mark, level: 'error' })]);
    await first.until(carries(mark));

    const back = await subscriberOf(['alert'], { alert_levels: ['error'] }, position);
    const received = await back.until(carries(mark));

    expect(dataOf(received)['level']).toBe('error');
    expect(back.received.filter(carries(mark))).toHaveLength(1);
  });
});

describe('ping', () => {
  test('is answered with pong, the time that the client sent, and the latency', async () => {
    const one = await client();
    const clientTime = new Date(Date.now() - 1_000).toISOString();
    one.send({ type: 'ping', data: { client_time: clientTime } });
    const pong = await one.until(ofType('pong'));

    expect(pong).toEqual({
      type: 'pong',
      data: { client_time: clientTime, server_time: expect.stringMatching(/Z$/), latency_ms: expect.any(Number) },
      timestamp: expect.any(String),
    });
    const { server_time, latency_ms } = dataOf(pong);
    expect(latency_ms).toBe(Date.parse(String(server_time)) - Date.parse(clientTime));
  });

  test('from a clock that is ahead has a latency of 0', async () => {
    const one = await client();
    one.send({ type: 'ping', data: { client_time: '2999-01-01T00:00:00Z' } });

    expect(dataOf(await one.until(ofType('pong')))).toMatchObject({ client_time: '2999-01-01T00:00:00Z', latency_ms: 0 });
  });

  test.each([[{}], [{ client_time: 'yesterday' }], [{ client_time: 5 }]])('without a time is an error (%j)', async (data) => {
    const one = await client();
    one.send({ type: 'ping', data });

    expect(dataOf(await one.until(ofType('error')))).toMatchObject({ error_code: 'INVALID_MESSAGE_FORMAT' });
  });
});

describe('errors', () => {
  const refused = async (message: object | string): Promise<Message> => {
    const one = await client();
    one.send(message);
    return one.until(ofType('error'));
  };

  test('have a code, a message, details and the time', async () => {
    expect(await refused('{"type":')).toEqual({
      type: 'error',
      data: {
        error_code: 'INVALID_MESSAGE_FORMAT',
        error_message: expect.any(String),
        details: expect.objectContaining({ received_message: '{"type":' }),
        timestamp: expect.any(String),
      },
      timestamp: expect.any(String),
    });
  });

  test('UNKNOWN_MESSAGE_TYPE lists the known types', async () => {
    const { error_code, details } = dataOf(await refused({ type: 'dance', data: {} }));

    expect(error_code).toBe('UNKNOWN_MESSAGE_TYPE');
    expect((details as { known_types: string[] }).known_types).toEqual(
      expect.arrayContaining(['client_info', 'subscribe', 'unsubscribe', 'service_control', 'send_webhook', 'ping', 'pong']),
    );
  });

  test('SERVICE_NOT_FOUND names the service', async () => {
    const control = { service_id: 'nobody', action: 'restart', options: { force: false, timeout: 30 } };
    expect(dataOf(await refused({ type: 'service_control', data: control }))).toMatchObject({
      error_code: 'SERVICE_NOT_FOUND',
      details: { service_id: 'nobody' },
    });
  });

  test.each([
    [{ action: 'restart' }],
    [{ service_id: 'x', action: 'explode' }],
    [{ service_id: 'x', action: 'stop', options: { timeout: 'long' } }],
  ])('INVALID_MESSAGE_FORMAT answers an invalid service_control (%#)', async (data) => {
    expect(dataOf(await refused({ type: 'service_control', data }))).toMatchObject({ error_code: 'INVALID_MESSAGE_FORMAT' });
  });

  test('PERMISSION_DENIED answers a webhook to a host that is not allowed', async () => {
    const data = { webhook_type: 'discord', url: 'https://chat.example/api/webhooks/1/x', message: 'hello', variables: { title: 'x' } };
    expect(dataOf(await refused({ type: 'send_webhook', data }))).toMatchObject({ error_code: 'PERMISSION_DENIED' });
  });

  test('INVALID_MESSAGE_FORMAT answers a webhook without an address', async () => {
    expect(dataOf(await refused({ type: 'send_webhook', data: { webhook_type: 'discord', message: 'x' } }))).toMatchObject({
      error_code: 'INVALID_MESSAGE_FORMAT',
      error_message: expect.stringContaining('message.data.url'),
    });
  });

  test('AUTHENTICATION_REQUIRED answers a publish without a key', async () => {
    expect((await host.post('/internal/events', { events: [alert()] }, {})).body).toMatchObject({ error_code: 'AUTHENTICATION_REQUIRED' });
  });
});
