import { beforeEach, describe, expect, test } from 'vitest';
import { type MemoryPorts, memoryPorts, posted, senderOf } from '../../helpers/ports.ts';

let ports: MemoryPorts;
let say: Awaited<ReturnType<typeof senderOf>>;
beforeEach(async () => {
  ports = memoryPorts();
  say = await senderOf(ports, 'a');
});
const subscribe = (data: object, over: object = {}) => say({ type: 'subscribe', data, ...over });
const unsubscribe = (data: object) => say({ type: 'unsubscribe', data });
const topics = async (): Promise<string[]> => (await ports.ownSubscriptions.list('a')).map(({ topic }) => topic);
const refusal = () => posted(ports, 'a').findLast(({ type }) => type === 'error')?.['data'];
const filterOf = async (type: string) => {
  const [found] = await ports.audience.find([{ topic: `ops:${type}`, shard: 0, connectionId: 'a', subscriptionId: '' }]);
  return found?.filter;
};

test('types are subscribed to, each once, and answered in their order', async () => {
  await subscribe({ event_types: ['log_update', 'alert', 'log_update'] });

  expect(posted(ports, 'a').flatMap(({ type, topic }) => (type === 'subscribed' ? [topic] : []))).toEqual(['ops:log_update', 'ops:alert']);
  expect(await topics()).toEqual(['ops:log_update', 'ops:alert']);
});

test('types are unsubscribed from', async () => {
  await subscribe({ event_types: ['log_update', 'alert'] });
  await unsubscribe({ event_types: ['alert'] });

  expect(posted(ports, 'a').at(-1)).toMatchObject({ type: 'unsubscribed', topic: 'ops:alert' });
  expect(await topics()).toEqual(['ops:log_update']);
});

describe('an unknown type', () => {
  test('is named without the prefix, with the types that there are; the others are served', async () => {
    await subscribe({ event_types: ['alert', 'alarm'] });

    expect(await topics()).toEqual(['ops:alert']);
    expect(refusal()).toMatchObject({
      error_code: 'INVALID_MESSAGE_FORMAT',
      error_message: 'no broadcast is called alarm; there are status_update, service_event, alert, log_update, webhook_event, posco_event',
      details: { expected_fields: ['type', 'data'], topics: ['ops:alarm'] },
    });
  });

  test('is unknown to unsubscribe from, too', async () => {
    await unsubscribe({ event_types: ['alarm'] });

    expect(refusal()).toMatchObject({ error_message: expect.stringMatching(/^no broadcast is called alarm; /) });
  });

  test('of many, the error names five', async () => {
    await subscribe({ event_types: ['a', 'b', 'c', 'd', 'e', 'f'] });

    expect(refusal()).toMatchObject({ error_message: expect.stringMatching(/^no broadcast is called a, b, c, d, e; there/) });
  });
});

describe('event_types', () => {
  test('holds 1 to 50 types', async () => {
    await subscribe({ event_types: Array(50).fill('alert') });
    expect(refusal()).toBeUndefined();

    await subscribe({ event_types: Array(51).fill('alert') });
    expect(refusal()).toMatchObject({ error_message: expect.stringMatching(/^message\.data\.event_types: Invalid length/) });
    await subscribe({ event_types: [] });

    expect(refusal()).toMatchObject({ error_message: 'message.data.event_types: expected at least one type' });
  });

  test('holds types of at most 50 characters', async () => {
    await subscribe({ event_types: ['x'.repeat(50)] });
    expect(refusal()).toMatchObject({ error_message: expect.stringMatching(/^no broadcast is called x{50}; /) });

    await subscribe({ event_types: ['x'.repeat(51)] });

    expect(refusal()).toMatchObject({ error_message: expect.stringMatching(/^message\.data\.event_types\.0: Invalid length/) });
  });
});

describe('a filter', () => {
  test('is kept with the subscription that it belongs to, and with no other', async () => {
    await subscribe({ event_types: ['alert', 'log_update', 'posco_event'], filters: { alert_levels: ['error', 'critical', 'error'] } });

    expect(await filterOf('alert')).toEqual(['critical', 'error']);
    expect(await filterOf('log_update')).toBeNull();
    expect(await filterOf('posco_event')).toBeNull();
  });

  test('that is empty, or null, does not filter', async () => {
    await subscribe({ event_types: ['alert', 'log_update'], filters: { alert_levels: [], log_levels: null } });

    expect(await filterOf('alert')).toBeNull();
    expect(await filterOf('log_update')).toBeNull();
  });

  test('holds at most 100 values of at most 200 characters', async () => {
    await subscribe({ event_types: ['alert'], filters: { alert_levels: Array(100).fill('info') } });
    expect(refusal()).toBeUndefined();

    await subscribe({ event_types: ['alert'], filters: { alert_levels: Array(101).fill('info') } });
    expect(refusal()).toMatchObject({ error_message: expect.stringMatching(/^message\.data\.filters\.alert_levels: Invalid length/) });
    await subscribe({ event_types: ['service_event'], filters: { service_ids: ['x'.repeat(201)] } });

    expect(refusal()).toMatchObject({ error_message: expect.stringMatching(/^message\.data\.filters\.service_ids\.0: Invalid length/) });
  });

  test('with a value that is none is refused', async () => {
    await subscribe({ event_types: ['alert'], filters: { alert_levels: ['loud'] } });

    expect(refusal()).toMatchObject({ error_message: expect.stringMatching(/^message\.data\.filters\.alert_levels\.0: /) });
    expect(await topics()).toEqual([]);
  });

  test('that does not exist is refused, and the ones that do are named', async () => {
    await subscribe({ event_types: ['alert'], filters: { levels: ['info'] } });

    expect(refusal()).toMatchObject({
      error_message: 'message.data.filters: there is no filter levels; there are service_ids, alert_levels, log_levels',
    });
  });
});

describe('a position', () => {
  const recovered = () => posted(ports, 'a').find(({ type }) => type === 'subscribed')?.['recovered'];

  test.each<[string, (at: string) => unknown]>([
    ['alone, for one type', (at) => at],
    ['by its type', (at) => ({ alert: at })],
    ['by its topic', (at) => ({ 'ops:alert': at })],
  ])('stands beside the data, %s', async (_, since) => {
    const { epoch } = await ports.topics.create('ops:alert');

    await subscribe({ event_types: ['alert'] }, { since: since(`${epoch}-0`) });

    expect(recovered()).toBe(true);
  });

  test('in the data is refused, with the place where it belongs', async () => {
    await subscribe({ event_types: ['alert'], since: 'e-0' });

    expect(refusal()).toMatchObject({ error_message: 'message: since: it stands beside data, not in it' });
  });

  test('alone for several types is refused', async () => {
    await subscribe({ event_types: ['alert', 'log_update'] }, { since: 'e-0' });

    expect(refusal()).toMatchObject({ error_message: 'since: where several topics are named, expected {topic: position}' });
  });

  test('of a type that does not exist is refused', async () => {
    await subscribe({ event_types: ['alert'] }, { since: { alarm: 'e-0' } });

    expect(refusal()).toMatchObject({ error_message: 'since: ops:alarm is no topic; expected a position, or {topic: position}' });
  });
});
