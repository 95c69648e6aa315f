import { afterEach } from 'vitest';
import { type Client, connect } from './client.ts';

/** Returns a way to connect clients that are closed after their test. For the top of a test file. */
export function shortLived(): typeof connect {
  const open: Client[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()));
  });
  return async (...options) => {
    const one = await connect(...options);
    open.push(one);
    return one;
  };
}
