/** The part of a webhook's address that clients may see. */
import { expect, test } from 'vitest';
import { maskUrl } from '../../../systems/operations/webhook-event.ts';

test.each([
  ['https://chat.example/api/webhooks/123456/s3cr3t', 'https://chat.example/api/webhooks/...'],
  ['https://chat.example/api/webhooks/...', 'https://chat.example/api/webhooks/...'],
  ['https://hooks.example/services/T000/B000/XXXX', 'https://hooks.example/services/...'],
  ['https://topics.example/mysecrettopic', 'https://topics.example/...'],
  ['https://host.example/hook/deadbeef', 'https://host.example/hook/...'],
  ['https://user:pass@host.example/api', 'https://host.example/api'],
  ['https://host.example/api?token=x', 'https://host.example/api/...'],
  ['https://host.example/#x', 'https://host.example/...'],
  ['not an address', '...'],
  ['mailto:somebody@example.com', '...'],
])('%s is masked as %s', (url, masked) => {
  expect(maskUrl(url)).toBe(masked);
});
