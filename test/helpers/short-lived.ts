import { afterEach } from 'vitest';
import { type Client, connect } from './client.ts';

/** Returns a way to connect clients that are closed after their test; after all of them if they run at the same time. For the top of a test file. */
export function shortLived(after: (work: () => Promise<void>) => void = afterEach): typeof connect {
  const open: Client[] = [];
  after(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()));
  });
  return async (...options) => {
    const one = await connect(...options);
    open.push(one);
    return one;
  };
}
