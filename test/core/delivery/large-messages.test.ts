import * as v from 'valibot';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Channel } from '../../../core/channels/channel.ts';
import { channelsOf } from '../../../core/channels/channels.ts';
import { defineChannel, type MessageOf } from '../../../core/channels/define-channel.ts';
import { ANYONE } from '../../../core/channels/permits.ts';
import { inlineOrReference, referenceOf } from '../../../core/delivery/large-messages.ts';
import { MAX_INLINE_BYTES } from '../../../core/names.ts';
import { type MemoryPorts, memoryPorts } from '../../helpers/ports.ts';

interface Value {
  readonly text: string;
}
const DAY_MS = 86_400_000;

let ports: MemoryPorts;
/** How often the channel was asked for a payload. */
let asked: number;
beforeEach(() => {
  ports = memoryPorts();
  asked = 0;
});

const made = (over: Partial<Channel> = {}): Channel => {
  const channel = {
    ...defineChannel({
      name: 'n',
      kind: 'log',
      source: 's',
      topic: 't',
      events: {},
      payload: ({ parts: { newest } }: MessageOf<{ newest: Value }>) => {
        asked++;
        return newest && { type: 'n', data: newest };
      },
      permits: ANYONE,
    }),
    ...over,
  };
  ports.channels = channelsOf([channel], {});
  return channel;
};
const put = (value: object, channel = made()) => inlineOrReference('t', value, channel, ports);
const bytesOf = (value: object): number => Buffer.byteLength(JSON.stringify(value));
/** A value whose payload has just so many bytes; each character has two. */
const valueFor = (payloadBytes: number): Value => {
  const bare = bytesOf({ type: 'n', data: { text: '' } });
  const left = payloadBytes - bare;
  return { text: 'é'.repeat(Math.floor(left / 2)) + 'x'.repeat(left % 2) };
};

test('a value of half the limit stays as it is, without a payload being made', async () => {
  const value = { text: 'x'.repeat(MAX_INLINE_BYTES / 2 - bytesOf({ text: '' })) };

  expect(await put(value)).toBe(value);
  expect(asked).toBe(0);
});

test('a payload of just the limit is delivered whole', async () => {
  const value = valueFor(MAX_INLINE_BYTES);
  expect(bytesOf({ type: 'n', data: value })).toBe(MAX_INLINE_BYTES);

  expect(await put(value)).toBe(value);
  expect(asked).toBe(1);
});

describe('a payload that is a byte too large', () => {
  const value = valueFor(MAX_INLINE_BYTES + 1);

  test('is stored, and the log holds a reference instead of the data', async () => {
    const nowMs = ports.clock.now();
    const reference = referenceOf(await put(value));

    expect(reference).toEqual({
      payload: {
        type: 'n',
        data: {},
        ref: '/api/messages/id0',
        bytes: MAX_INLINE_BYTES + 1,
        expires_at: new Date(nowMs + DAY_MS).toISOString(),
      },
      facets: [],
    });
    expect(await ports.bodies.read('id0')).toEqual({ topic: 't', payload: { type: 'n', data: value }, expiresAtMs: nowMs + DAY_MS });
  });

  test('keeps the values that filters compare', async () => {
    const filtering = { name: 'f', values: v.string(), facets: (payload: object) => [Object.keys(payload).join()], narrow: () => null };

    expect(referenceOf(await put(value, made({ filtering })))?.facets).toEqual(['type,data']);
  });

  test('is not committed if its body cannot be stored', async () => {
    ports.bodies.put = () => Promise.reject(new Error('no bucket'));

    await expect(put(value)).rejects.toThrow('no bucket');
  });
});

test('a large value of which the channel delivers nothing stays as it is', async () => {
  const value = valueFor(MAX_INLINE_BYTES + 1);

  expect(await put(value, made({ payload: () => null }))).toBe(value);
});

test('a large payload that is not in its data leaves only short fields beside its reference', async () => {
  const long = 'x'.repeat(MAX_INLINE_BYTES);
  const payload = () => ({ type: 'n', count: 3, urgent: true, name: 'short', text: long, items: [long] });
  const reference = referenceOf(await put({ text: long }, made({ payload })));

  expect(Object.keys(reference?.payload ?? {})).toEqual(['type', 'count', 'urgent', 'name', 'data', 'ref', 'bytes', 'expires_at']);
});

test.each([{ text: 'x' }, { reference: 'INV-1' }])('a value that is the message itself is no reference: %j', (value) => {
  expect(referenceOf(value)).toBeNull();
});
