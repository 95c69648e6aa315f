import * as v from 'valibot';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Channel } from '../../../core/channels/channel.ts';
import { channelsOf } from '../../../core/channels/channels.ts';
import { defineChannel, type MessageOf } from '../../../core/channels/define-channel.ts';
import { ANYONE } from '../../../core/channels/permits.ts';
import { logMessage, newestOf } from '../../../core/delivery/messages.ts';
import type { TopicState } from '../../../core/ports/topics.ts';
import { type MemoryClock, memoryClock } from '../../helpers/memory/clock.ts';

const filtering = {
  name: 'levels',
  values: v.string(),
  facets: () => [],
  narrow: (payload: object, wanted: readonly string[]) => (wanted.includes('all') ? payload : null),
};
const channel = (over: Partial<Channel> = {}): Channel => ({
  ...defineChannel({
    name: 'n',
    kind: 'state',
    source: 's',
    topic: 't:{a}',
    events: {},
    payload: ({ parts: { newest }, nowMs, repeated }: MessageOf<{ newest: object }>) => newest && { ...newest, nowMs, repeated },
    permits: ANYONE,
  }),
  ...over,
});
const state = (over: Partial<TopicState> = {}): TopicState => ({
  topic: 't:1',
  epoch: 'epoch',
  head: 7,
  parts: { newest: { price: 5 } },
  notes: {},
  heard: true,
  heardFrom: 0,
  expiresAtMs: null,
  ...over,
});

let clock: MemoryClock;
let ports: { channels: ReturnType<typeof channelsOf>; clock: MemoryClock };
beforeEach(() => {
  clock = memoryClock(1_000);
  ports = { clock, channels: channelsOf([channel()], {}) };
});

describe('a message of a log', () => {
  test('has the payload of its value, at its own position', () => {
    expect(logMessage(state(), channel(), { offset: 3, value: { seat: 1 } }, ports)).toMatchObject({
      topic: 't:1',
      payload: { seat: 1, nowMs: 1_000, repeated: false },
      position: { epoch: 'epoch', offset: 3 },
      repeatedAtMs: null,
    });
  });

  test('of which the channel delivers nothing is none', () => {
    expect(logMessage(state(), channel({ payload: () => null }), { offset: 3, value: {} }, ports)).toBeNull();
  });

  test('stored by reference is delivered as stored, and passes a filter that names one of its facets', () => {
    const payload = { type: 'large', ref: '/api/messages/1' };
    const value = { '#reference': { payload, facets: ['ERROR', 'INFO'] } };
    const message = logMessage(state(), channel({ filtering, payload: () => null }), { offset: 3, value }, ports);

    expect(message).toMatchObject({ topic: 't:1', payload, position: { epoch: 'epoch', offset: 3 }, repeatedAtMs: null });
    expect(message?.narrow(['DEBUG', 'INFO'])).toBe(payload);
    expect(message?.narrow(['DEBUG'])).toBeNull();
    expect(message?.narrow([])).toBeNull();
  });
});

describe('the newest of a state topic', () => {
  test('is at the head', () => {
    expect(newestOf(state(), channel(), ports)).toMatchObject({
      topic: 't:1',
      payload: { price: 5, nowMs: 1_000, repeated: false },
      position: { epoch: 'epoch', offset: 7 },
      repeatedAtMs: null,
    });
  });

  test('says when it is delivered again', () => {
    expect(newestOf(state(), channel(), ports, true)).toMatchObject({ payload: { repeated: true }, repeatedAtMs: 1_000 });
  });

  test('is none while nothing was committed, whatever the channel makes of that', () => {
    expect(newestOf(state({ head: 0, parts: {} }), channel({ payload: () => ({ invented: true }) }), ports)).toBeNull();
  });

  test('is none if the channel delivers nothing of its parts', () => {
    expect(newestOf(state({ parts: {} }), channel(), ports)).toBeNull();
  });
});

describe('a filter', () => {
  test('narrows as the channel does', () => {
    const narrowed = newestOf(state(), channel({ filtering }), ports);

    expect(narrowed?.narrow(['all'])).toBe(narrowed?.payload);
    expect(narrowed?.narrow(['none'])).toBeNull();
  });

  test('lets everything through on a channel without filters', () => {
    const whole = logMessage(state(), channel(), { offset: 1, value: { a: 1 } }, ports);

    expect(whole?.narrow(['none'])).toBe(whole?.payload);
  });
});
