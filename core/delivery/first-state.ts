import { BEFORE_ALL } from '../base/position.ts';
import { answer, type FirstDelivery } from './first-delivery.ts';
import { newestOf } from './messages.ts';
import { isPosition } from './replay-start.ts';

/** State topics: the newest message, unless the client has it. */
export const deliverState: FirstDelivery = async ({ since, channel, ...wish }, state, there, { connection }, ports) => {
  const { epoch, head } = state;
  const recovered = isPosition(since) ? since.epoch === epoch && since.offset === head : null;
  const post = await answer({ since, channel, ...wish }, connection, { head: { epoch, offset: head }, from: null, recovered }, ports);
  if (!post) return 'gone';
  const complete = { from: head, owed: false, replayed: false, registration: null };
  if (recovered) return complete;
  // the drain delivers the newest to one that lacks everything
  const owed = { ...complete, from: BEFORE_ALL, owed: true };
  if (there) return owed;
  const newest = newestOf(state, channel, ports);
  const result = newest ? await post(newest) : 'sent';
  return result === 'gone' ? 'gone' : result === 'sent' ? complete : owed;
};
