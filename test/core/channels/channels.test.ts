import * as v from 'valibot';
import { expect, test } from 'vitest';
import { channelsOf } from '../../../core/channels/channels.ts';
import { defineChannel, event } from '../../../core/channels/define-channel.ts';
import { ANYONE } from '../../../core/channels/permits.ts';

const channel = (name: string, over: { source?: string; lifeMs?: number; events?: string[]; internal?: boolean } = {}) =>
  defineChannel({
    name,
    kind: 'log',
    source: over.source ?? name,
    topic: `${name}:{a}`,
    events: Object.fromEntries((over.events ?? [`${name}Happened`]).map((type) => [type, event(v.object({}), () => [])])),
    payload: () => null,
    permits: ANYONE,
    internal: over.internal ?? false,
    ...(over.lifeMs === undefined ? {} : { lifeMs: over.lifeMs }),
  });
const first = channel('first', { lifeMs: 200_000_000, source: 'shop' });
const second = channel('second', { source: 'shop' });
const channels = channelsOf([first, second], { LIMIT: '7' });

test('a topic has the channel whose pattern it matches, or none', () => {
  expect(channels.of('first:x')).toBe(first);
  expect(channels.of('second:x')).toBe(second);
  expect(channels.of('third:x')).toBeNull();
});

test('an event type is found by source and name, also if two channels share the source', () => {
  expect(channels.event('shop', 'firstHappened')).toEqual({ channel: first, type: first.events['firstHappened'], also: [] });
  expect(channels.event('shop', 'secondHappened')).toEqual({ channel: second, type: second.events['secondHappened'], also: [] });
});

test('an event type of another source, or with the name of an inherited property, is none', () => {
  expect(channels.event('other', 'firstHappened')).toBeNull();
  expect(channels.event('shop', 'thirdHappened')).toBeNull();
  for (const name of ['constructor', 'toString', '__proto__']) expect(channels.event('shop', name)).toBeNull();
});

test('the hints name every pattern', () => {
  expect(channels.hints).toBe('first:{a}, second:{a}');
});

test('an internal channel takes events beside the one that clients see, and is named in no hint', () => {
  const hidden = channel('hidden', { source: 'shop', events: ['firstHappened', 'secretHappened'], internal: true });
  const all = channelsOf([hidden, first], {});
  const taker = (type: string) => ({ channel: hidden, type: hidden.events[type] });
  expect(all.event('shop', 'firstHappened')).toEqual({
    channel: first,
    type: first.events['firstHappened'],
    also: [taker('firstHappened')],
  });
  expect(all.event('shop', 'secretHappened')).toEqual({ ...taker('secretHappened'), also: [] });
  expect(all.hints).toBe('first:{a}');
});

test('payloads are made with the settings of the deployment', () => {
  expect(channels.settings).toEqual({ LIMIT: '7' });
});

test('a topic is kept as long as its channel says, and for good if it says nothing or there is no channel', () => {
  expect(channels.lifeOf('first:x')).toBe(200_000_000);
  expect(channels.lifeOf('second:x')).toBeNull();
  expect(channels.lifeOf('third:x')).toBeNull();
});
