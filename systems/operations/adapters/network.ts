import type { Net } from '../webhooks/worker.ts';
import { nameOf, post, resolveAll } from './webhook-post.ts';

/** The network itself. */
export const network = (): Net => ({
  resolve: resolveAll,
  post: (url, address, body) => post(url, address, body, {}),
  nameOf,
  random: Math.random,
});
