import { beforeEach, describe, expect, test } from 'vitest';
import { type MemoryPorts, memoryPorts, posted, senderOf } from '../../helpers/ports.ts';

let ports: MemoryPorts;
let say: Awaited<ReturnType<typeof senderOf>>;
beforeEach(async () => {
  ports = memoryPorts();
  say = await senderOf(ports, 'a');
});
const answer = async (message: object) => {
  await say(message);
  return posted(ports, 'a').at(-1)?.['data'];
};
const control = (over: Record<string, unknown> = {}) => ({
  type: 'service_control',
  data: { service_id: 'news', action: 'restart', ...over },
});
const webhook = (over: Record<string, unknown> = {}) => ({
  type: 'send_webhook',
  data: { webhook_type: 'discord', url: 'https://chat.example/api/webhooks/1', message: 'hello', ...over },
});

test('a service that has not announced itself is not found', async () => {
  expect(await answer(control())).toMatchObject({
    error_code: 'SERVICE_NOT_FOUND',
    error_message: 'no service news has announced itself',
    details: { service_id: 'news' },
  });
});

test('webhooks may be sent to the hosts on the list alone', async () => {
  expect(await answer(webhook())).toMatchObject({
    error_code: 'PERMISSION_DENIED',
    error_message: expect.stringContaining('webhooks may not be sent to chat.example'),
    details: { webhook_type: 'discord' },
  });
});

describe('acting needs the role ops:control', () => {
  const refusal = { error_code: 'PERMISSION_DENIED', error_message: 'this needs the role ops:control' };
  const withRoles = (...roles: string[]): void => {
    ports.identity = { ...ports.identity, required: true };
    const { touch } = ports.connections;
    ports.connections.touch = async (...parameters) => {
      const touched = await touch(...parameters);
      return touched && { ...touched, connection: { ...touched.connection, principal: { userId: 'me', roles } } };
    };
  };

  test('and reading is not enough', async () => {
    withRoles('ops:read');

    expect(await answer(control())).toMatchObject(refusal);
    expect(await answer(webhook())).toMatchObject(refusal);
  });

  test('and a caller that holds it may act', async () => {
    withRoles('ops:control');

    expect(await answer(control())).toMatchObject({ error_code: 'SERVICE_NOT_FOUND' });
  });

  test('and without identity nobody may, unless the deployment allows it', async () => {
    ports.identity = { ...ports.identity, anonymousControl: false };

    expect(await answer(control())).toMatchObject(refusal);
    expect(await answer(webhook())).toMatchObject(refusal);
  });
});

describe('a wrong message is refused before the role is asked for', () => {
  beforeEach(() => {
    ports.identity = { ...ports.identity, anonymousControl: false };
  });

  test.each<[object, string]>([
    [control({ service_id: '' }), 'message.data.service_id: expected a name'],
    [control({ service_id: undefined }), 'message.data.service_id: is missing'],
    [webhook({ url: 'chat.example' }), 'message.data.url: expected an address, such as https://hooks.example/abc'],
    [webhook({ message: undefined }), 'message.data.message: is missing'],
    [webhook({ template_id: '' }), 'message.data.template_id: expected a name'],
  ])('%j', async (message, errorMessage) => {
    expect(await answer(message)).toMatchObject({
      error_code: 'INVALID_MESSAGE_FORMAT',
      error_message: errorMessage,
      details: { expected_fields: ['type', 'data'] },
    });
  });

  test.each<[object]>([
    [control({ action: 'destroy' })],
    [control({ options: { timeout: -1 } })],
    [control({ options: { force: 'yes' } })],
    [webhook({ variables: 'x' })],
  ])('%j', async (message) => {
    expect(await answer(message)).toMatchObject({ error_code: 'INVALID_MESSAGE_FORMAT' });
  });
});

test.each<[object]>([
  [control({ action: 'start' })],
  [control({ action: 'stop', options: null })],
  [control({ action: 'status', options: { force: true, timeout: 0 } })],
])('%j is a message that is understood', async (message) => {
  expect(await answer(message)).toMatchObject({ error_code: 'SERVICE_NOT_FOUND' });
});
