/** `send_webhook` by URL: what is refused at once, and the outcome that follows (`docs/operations.md`, "Webhooks"). */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Client, type Message, ofType } from '../helpers/client.ts';
import { type OwnRun, runWith } from '../helpers/local.ts';
import { shortLived } from '../helpers/short-lived.ts';

let own: OwnRun;
beforeAll(async () => {
  own = await runWith({ ALLOW_ANONYMOUS_CONTROL: 'true', WEBHOOK_HOSTS: '127.0.0.1,hooks.invalid' });
}, 120_000);
afterAll(() => own.run.stop());

const dial = shortLived();
const dashboard = () => dial(own.run.url);
const webhook = (over: object = {}) => ({
  type: 'send_webhook',
  data: {
    webhook_type: 'discord',
    url: 'https://127.0.0.1/api/webhooks/1/secret',
    message: '테스트 메시지',
    template_id: 'posco_news_alert',
    variables: { title: '뉴스 제목', url: 'https://example.com', timestamp: '2024-01-01 12:00:00' },
    ...over,
  },
});
const dataOf = (message: Message) => message['data'] as Record<string, unknown>;
const refused = async (one: Client, over: object) => {
  one.send(webhook(over));
  return dataOf(await one.until(ofType('error')));
};

test('a request that cannot be meant is refused with what to do', async () => {
  const one = await dashboard();
  const cases: [object, string, string][] = [
    [{ url: 'http://127.0.0.1/x' }, 'PERMISSION_DENIED', 'expected https'],
    [{ url: 'https://evil.test/secret' }, 'PERMISSION_DENIED', 'evil.test: allowed are 127.0.0.1, hooks.invalid (WEBHOOK_HOSTS)'],
    [{ url: 'secret' }, 'INVALID_MESSAGE_FORMAT', 'expected an address'],
    [{ webhook_type: 'teams' }, 'INVALID_MESSAGE_FORMAT', 'expected discord, slack, generic'],
    [{ template_id: 'mine' }, 'INVALID_MESSAGE_FORMAT', 'there are posco_news_alert'],
    [{ variables: { title: 'x' } }, 'INVALID_MESSAGE_FORMAT', 'the template needs url, timestamp'],
  ];
  for (const [over, code, says] of cases)
    expect(await refused(one, over)).toMatchObject({ error_code: code, error_message: expect.stringContaining(says) });
});

test('the outcome comes to the client that asked, once, with the secret part of the address masked', async () => {
  const [asker, subscribed] = [await dashboard(), await dashboard()];
  subscribed.send({ type: 'subscribe', data: { event_types: ['webhook_event'] } });
  await subscribed.until(ofType('subscribed'));
  for (const one of [asker, subscribed]) one.send(webhook());
  for (const one of [asker, subscribed]) {
    const event = await one.until(ofType('webhook_event'));
    expect(event).toMatchObject({
      data: {
        webhook_id: expect.any(String),
        event_type: 'failed',
        webhook_type: 'discord',
        url: 'https://127.0.0.1/api/webhooks/...',
        status: 'failed',
        response_code: 0,
        message: expect.stringContaining('not public'),
      },
      broadcast_id: expect.stringMatching(/^webhook_/),
    });
    expect(dataOf(event)).not.toHaveProperty('command_id');
  }
  await own.run.settled();
  await asker.quiet(ofType('webhook_event'));
  // the other one's
  await subscribed.until(ofType('webhook_event'));
  await subscribed.quiet(ofType('webhook_event'));
  expect(own.logs.join('\n')).not.toContain('webhooks/1/secret');
});

test('a host that cannot be found is tried again, with pauses, and then has failed', async () => {
  const asker = await dashboard();
  asker.send(webhook({ url: 'https://hooks.invalid/secret' }));
  for (let tries = 0; tries < 5; tries++) {
    await own.run.settled();
    own.run.clock.advance(60_000);
  }
  expect(dataOf(await asker.until(ofType('webhook_event')))).toMatchObject({
    event_type: 'failed',
    url: 'https://hooks.invalid/...',
    message: expect.stringMatching(/^hooks\.invalid: .*; 5 tries$/),
  });
});
