/** The canary: an event that says nothing, which `npm run doctor` sends the whole way from each source to a client. */
import * as v from 'valibot';
import { LOG_LIFE_MS } from '../base/lifetimes.ts';
import type { Channel } from './channel.ts';
import { defineChannel, event, type MessageOf } from './define-channel.ts';
import { ANYONE } from './permits.ts';
import { WORD } from './topic-pattern.ts';

export const CANARY = 'Canary';

/** A topic of its own for each canary, so that none is conflated with another. */
export const canaryTopic = (source: string, id: string): string => `canary:${source}:${id}`;

const canary = v.object({
  id: v.pipe(
    v.string(),
    v.check((id) => WORD.parse(id) !== null, `expected ${WORD.expected}`),
  ),
});

/** The channel of a source's canaries. A deployment has one for each source, and lists none of them. */
export const canaryChannel = (source: string): Channel =>
  defineChannel({
    name: `canary-${source.replace(/[^\w-]/g, '-')}`,
    kind: 'state',
    source,
    topic: `canary:${source}:{id}`,
    lifeMs: 2 * LOG_LIFE_MS,
    events: { [CANARY]: event(canary, ({ id }) => ({ topic: { id }, value: () => ({ id }) })) },
    payload: ({ parts: { newest } }: MessageOf<{ newest: { id: string } }>) => newest && { type: 'canary', source, ...newest },
    permits: ANYONE,
  });
