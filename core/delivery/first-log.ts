import { expiryOf } from '../base/lifetimes.ts';
import type { Channel } from '../channels/channel.ts';
import type { LogMessage, TopicState } from '../ports/topics.ts';
import { answer, type FirstDelivery, type Post, type SubscribePorts } from './first-delivery.ts';
import { readLogAfter } from './log-reader.ts';
import { logMessage } from './messages.ts';
import { isPosition, replayStart } from './replay-start.ts';

/** A replay goes on by post until this near to the head; the drain delivers the rest. */
const NEAR_HEAD = 50;

/** A handler replays no longer than this: its function, and clients that wait for its replies, have only so much time. */
const REPLAY_MS = 5_000;

/** Log topics: the messages since a position, the newest so many, those since the user's registration, or none. */
export const replayLog: FirstDelivery = async (wish, state, there, { connection, requestedAtMs }, ports) => {
  const { topic, since, channel, filter } = wish;
  const stands = there !== null && !there.ended;
  const registration = since === null && !stands && channel.http ? await ports.registrations.find(topic) : null;
  const wanted = since ?? registration?.position ?? null;
  const { start, head, whole, first } = await replayStart(wanted, state, channel.history, ports);
  const { epoch } = state;
  const goesOn = since === null && stands;
  const standing = {
    head: { epoch, offset: head },
    from: goesOn || start === head || (isPosition(since) && whole) ? null : { epoch, offset: start },
    recovered: isPosition(since) ? whole : null,
  };
  const post = await answer(wish, connection, standing, ports);
  if (!post) return 'gone';
  if (goesOn && (await ports.audience.renew(there, filter, requestedAtMs))) {
    // a default subscription is now one that was asked for
    if (there.unasked) await ports.ownSubscriptions.add(there, requestedAtMs, expiryOf(connection.connectedAtMs));
    return 'stands';
  }
  const made = { from: start, owed: false, replayed: false, registration: registration?.stamp ?? null };
  if (wanted === null || there) return made;
  const replayed = await replay(channel, state, start, first, post, ports);
  return replayed === 'gone' ? 'gone' : { ...made, ...replayed, replayed: replayed.from > start };
};

/** Posts until near the head, until the connection is throttled, or until it takes too long. `owed`: a drain delivers the rest. */
async function replay(
  channel: Channel,
  state: TopicState,
  start: number,
  first: readonly LogMessage[],
  post: Post,
  ports: SubscribePorts,
): Promise<{ from: number; owed: boolean } | 'gone'> {
  const untilMs = ports.clock.now() + REPLAY_MS;
  let last = start;
  for (let messages = first; ; messages = (await readLogAfter(state, last, ports.topics)).messages) {
    for (const stored of messages) {
      const message = logMessage(state, channel, stored, ports);
      const result = message ? await post(message) : 'sent';
      if (result === 'gone') return 'gone';
      if (result === 'slow') return { from: last, owed: true };
      last = stored.offset;
    }
    if (messages.length <= NEAR_HEAD) return { from: last, owed: false };
    if (ports.clock.now() > untilMs) return { from: last, owed: true };
  }
}
