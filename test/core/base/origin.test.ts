import { expect, test } from 'vitest';
import { normalOrigin, originAllowed } from '../../../core/base/origin.ts';

test.each([
  ['https://shop.example', 'https://shop.example'],
  ['https://Shop.Example/', 'https://shop.example'],
  [' https://shop.example:443 ', 'https://shop.example'],
  ['http://shop.example:80/', 'http://shop.example'],
  ['http://shop.example:8080', 'http://shop.example:8080'],
  ['https://매장.example', 'https://xn--9z2bo5w.example'],
  ['http://[::1]:3000', 'http://[::1]:3000'],
  ['Tauri://localhost/', 'tauri://localhost'],
  ['capacitor://localhost', 'capacitor://localhost'],
  ['http://tauri.localhost', 'http://tauri.localhost'],
  ['NULL', 'null'],
  ['', null],
  ['*', null],
  ['shop.example', null],
  ['https://shop.example/path', null],
  ['https://shop.example/?q', null],
  ['https://user@shop.example', null],
  ['https://shop.example:99999', null],
  ['https://', null],
])('%j is the origin %j', (text, expected) => {
  expect(normalOrigin(text)).toBe(expected);
});

test.each([
  ['https://a.example', true],
  ['https://A.example:443', true],
  ['tauri://localhost', true],
  ['null', true],
  [null, true],
  ['https://b.example', false],
  ['https://a.example.evil.example', false],
  ['http://a.example', false],
  // the deployment's own address, as React Native sends it
  ['https://push.example', true],
  ['http://push.example:80', true],
  ['https://push.example:8443', false],
])('of %j pages may connect: %j', (origin, allowed) => {
  expect(originAllowed(origin, 'https://a.example,tauri://localhost,null', 'push.example')).toBe(allowed);
});

test('every origin may connect if all are allowed, and none of its own host if that is not known', () => {
  expect(originAllowed('whatever', '*', null)).toBe(true);
  expect(originAllowed('https://push.example', 'https://a.example', null)).toBe(false);
});
