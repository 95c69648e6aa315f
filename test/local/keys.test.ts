/** `npm run keys` on the local run: what it prints can publish, and what it revokes cannot. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alert, freshTicker, tick } from '../helpers/events.ts';
import { type OwnRun, ownRun } from '../helpers/local.ts';
import { PROCESS_MS } from '../helpers/within.ts';

let own: OwnRun;
beforeAll(async () => {
  own = await ownRun();
});
afterAll(() => own.run.stop());

const run = promisify(execFile);
async function keys(...words: string[]): Promise<{ out: string; error: string }> {
  const { awsUrl } = own.run;
  const account = { AWS_ENDPOINT_URL: awsUrl, AWS_REGION: 'local', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
  const env = { ...process.env, ...account, AWS_PORT: new URL(awsUrl).port };
  const { stdout, stderr } = await run(process.execPath, ['--import', 'tsx', 'bin/keys.ts', ...words], { env, timeout: PROCESS_MS }).catch(
    (failed: { stdout: string; stderr: string }) => failed,
  );
  return { out: stdout.trim(), error: stderr.trim() };
}
const published = async (key: string, event: object) => {
  const { status, body } = await own.post('/internal/events', { events: [event] }, { 'x-api-key': key });
  return status === 202 ? body['accepted'] : status;
};
/** By the id, from the list. */
const listed = async (): Promise<string[][]> => {
  const [, ...lines] = (await keys('list')).out.split('\n');
  return lines.map((line) => line.split(/ +/).slice(0, 2));
};
/** As long as functions may know an older ring. */
const pass = () => own.run.clock.advance(61_000);

test('a source has a key of its own, two while it is rotated, and none once they are revoked', { timeout: 120_000 }, async () => {
  const price = tick(freshTicker(), 1);
  expect(await listed()).toEqual([[expect.any(String), '*']]);

  const first = (await keys('add', 'market.price')).out;
  expect(await published(first, price)).toBe(1);
  expect(await published(first, alert())).toBe(0);
  expect(await published(own.key, alert())).toBe(1);

  const second = (await keys('rotate', 'market.price')).out;
  pass();
  expect([await published(first, price), await published(second, price)]).toEqual([1, 1]);
  const third = (await keys('rotate', 'market.price')).out;
  pass();
  expect(await Promise.all([first, second, third].map((key) => published(key, price)))).toEqual([401, 1, 1]);

  for (const [id = '', source] of await listed()) if (source === 'market.price') await keys('revoke', id);
  pass();
  expect(await Promise.all([second, third, own.key].map((key) => published(key, price)))).toEqual([401, 401, 1]);
});

test('of changes at the same moment none is lost', async () => {
  const [first, second] = await Promise.all([keys('add', 'market.price'), keys('add', 'ticket.reservation')]);
  const sources = (await listed()).map(([, source]) => source);

  expect(sources).toEqual(expect.arrayContaining(['market.price', 'ticket.reservation']));
  pass();
  expect(await published(first.out, tick(freshTicker(), 1))).toBe(1);
  expect(second.out).not.toBe('');
});

describe('a mistake', () => {
  test.each([
    [[], 'expected list, add, rotate, revoke'],
    [['add'], 'add: expected SOURCE'],
    [['list', 'x'], 'list: expected nothing more'],
    [['add', 'nobody'], 'no channel has the source "nobody"; there are '],
    [['rotate', 'ops.monitor'], 'ops.monitor has no key: add one first'],
    [['revoke', '00000000'], 'there is no key 00000000'],
  ])('in %j says what to do', async (words, text) => {
    const { out, error } = await keys(...words);

    expect(error).toContain(text);
    expect(out).toBe('');
  });

  test('in the name of the stack is explained', async () => {
    const { error } = await keys('list', '--stack', 'RealtimePush-nowhere');

    expect(error).toContain('is RealtimePush-nowhere the right name');
  });
});
