import { describe, expect, test } from 'vitest';
import { isPublic, publicAddress, readAddress } from '../../../../systems/operations/webhooks/address.ts';

const HOSTS = ['discord.com', '*.hooks.test', '127.0.0.1', '[::1]'];

describe('an address', () => {
  test.each([
    'https://discord.com/api/webhooks/1/secret',
    'https://DISCORD.com/x',
    'https://discord.com./x',
    'https://discord.com:443/x',
    'https://a.hooks.test/x',
    'https://a.b.hooks.test/x',
  ])('%s is read', (text) => {
    expect(readAddress(text, HOSTS).protocol).toBe('https:');
  });

  test.each([
    ['http://discord.com/x', 'expected https, got http'],
    ['ftp://discord.com/x', 'expected https'],
    ['discord.com/x', 'expected an address'],
    ['https://discord.com:8443/x', 'port 443, got 8443'],
    ['https://user@discord.com/x', 'no user'],
    ['https://discord.com@evil.test/x', 'no user'],
    ['https://evil.test/discord.com', 'may not be sent to evil.test'],
    ['https://discord.com.evil.test/x', 'may not be sent to'],
    ['https://hooks.test/x', 'may not be sent to'],
    ['https://xhooks.test/x', 'may not be sent to'],
    ['https://localhost./x', 'may not be sent to'],
  ])('%s is refused, and its path is not quoted', (text, why) => {
    const read = () => readAddress(text.replace(/\/x$/, '/canary-secret'), HOSTS);
    expect(read).toThrow(why);
    expect(read).not.toThrow('canary');
  });
});

/** Every spelling that a parser of addresses makes into one of these. */
const SPELLINGS = [
  'https://127.1/',
  'https://0x7f.1/',
  'https://2130706433/',
  'https://017700000001/',
  'https://0/',
  'https://0x7f000001/',
];

test.each(SPELLINGS)('%s is one address, and no public one', async (text) => {
  const { hostname } = new URL(text);
  expect(isPublic(hostname)).toBe(false);
});

test.each([
  '127.0.0.1',
  '0.0.0.0',
  '10.1.2.3',
  '172.16.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '192.0.0.1',
  '192.0.2.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::127.0.0.1',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::7f00:1',
  '2002:7f00:1::',
  '2002:a9fe:a9fe::1',
  '2001:0:7f00:1::',
  '2001:db8::1',
  '2001:10::1',
  '2001:20::1',
  '3fff::1',
  'fe80::1',
  'fe80::1%eth0',
  'fc00::1',
  'fd00:ec2::254',
  'ff02::1',
  'fec0::1',
  '5f00::1',
  '100::1',
  '127.1',
  'localhost',
  '',
  'x',
])('%s is not public', (address) => {
  expect(isPublic(address)).toBe(false);
});

test.each(['1.1.1.1', '162.159.128.233', '2606:4700::6810:84e5', '2a00:1450:4001:80f::200e'])('%s is public', (address) => {
  expect(isPublic(address)).toBe(true);
});

describe('the address that a request goes to', () => {
  test('is looked up once, and the first of those found', async () => {
    let asked = 0;
    const resolve = async () => {
      asked++;
      return ['1.1.1.1', '1.0.0.1'];
    };
    expect(await publicAddress('hooks.test', resolve)).toBe('1.1.1.1');
    expect(asked).toBe(1);
  });

  test.each([[['127.0.0.1']], [['1.1.1.1', '169.254.169.254']], [['::ffff:127.0.0.1']], [[]]])(
    'is refused if the name is at %j',
    async (found) => {
      await expect(publicAddress('hooks.test', async () => found)).rejects.toThrow(found.length > 0 ? 'not public' : 'no address');
    },
  );

  test('is the one that stands there, without a look-up', async () => {
    const resolve = async () => Promise.reject(new Error('it was looked up'));
    await expect(publicAddress('127.0.0.1', resolve)).rejects.toThrow('not public');
    expect(await publicAddress('1.1.1.1', resolve)).toBe('1.1.1.1');
  });
});
