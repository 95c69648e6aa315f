/** The library's types against the server's own schemas: the compiler checks them, and the run what types cannot say. */
import type * as v from 'valibot';
import { expect, expectTypeOf, test } from 'vitest';
import type {
  Alert,
  Client,
  LogUpdate,
  MessageOf,
  PoscoEvent,
  PriceUpdate,
  Quote,
  ServiceEvent,
  StatusUpdate,
  WebhookEvent,
} from '../../client/index.ts';
import { isKnownState, knownStream } from '../../client/known.ts';
import { systems } from '../../systems/index.ts';
import type { alertChannel } from '../../systems/operations/alert.ts';
import type { logUpdateChannel } from '../../systems/operations/log-update.ts';
import type { poscoEventChannel } from '../../systems/operations/posco-event.ts';
import type { serviceEventChannel } from '../../systems/operations/service-event.ts';
import type { statusUpdateChannel } from '../../systems/operations/status-update.ts';
import type { webhookEventChannel } from '../../systems/operations/webhook-event.ts';
import type { Quote as ServedQuote } from '../../systems/prices/quote.ts';

type DataOf<Channel extends { readonly data: v.GenericSchema }> = v.InferOutput<Channel['data']>;
/** Lists and objects of the library's types cannot be written to; those of the server's can. */
type Writable<Value> = Value extends readonly (infer Item)[]
  ? Writable<Item>[]
  : Value extends object
    ? { -readonly [Name in keyof Value]: Writable<Value[Name]> }
    : Value;

test('the data of broadcasts is what the server makes of its schemas', () => {
  expectTypeOf<Writable<StatusUpdate['data']>>().toEqualTypeOf<DataOf<typeof statusUpdateChannel>>();
  expectTypeOf<Writable<ServiceEvent['data']>>().toEqualTypeOf<DataOf<typeof serviceEventChannel>>();
  expectTypeOf<Writable<PoscoEvent['data']>>().toEqualTypeOf<DataOf<typeof poscoEventChannel>>();
  expectTypeOf<Writable<WebhookEvent['data']>>().toEqualTypeOf<DataOf<typeof webhookEventChannel>>();
  expectTypeOf<Writable<Omit<Alert['data'], 'metadata'>>>().toEqualTypeOf<Omit<DataOf<typeof alertChannel>, 'metadata'>>();
  // the server counts the entries that an upstream did not
  expectTypeOf<Writable<LogUpdate['data']>>().toExtend<DataOf<typeof logUpdateChannel>>();
  expectTypeOf<Quote>().toEqualTypeOf<ServedQuote>();
});

test("a quote is what the original's pages take, from REST and from a push", () => {
  interface IRealtimePrice {
    ticker: string;
    price: number;
    change: number;
    change_rate: number;
    volume: number;
    timestamp?: string;
  }
  expectTypeOf<Quote>().toExtend<IRealtimePrice>();
  const ofPush = ({ ticker, timestamp, data }: PriceUpdate): IRealtimePrice => ({ ticker, timestamp, ...data });
  expectTypeOf(ofPush).returns.toEqualTypeOf<IRealtimePrice>();
});

test('a topic has its own messages', () => {
  expectTypeOf<MessageOf<'price:005930'>>().toEqualTypeOf<PriceUpdate>();
  expectTypeOf<MessageOf<'ops:alert'>>().toEqualTypeOf<Alert>();
  expectTypeOf<MessageOf<'/topic/reservations/55/100'>>().toHaveProperty('seatId');
  expectTypeOf<MessageOf<'orders:1'>>().toHaveProperty('position');
  expectTypeOf<Parameters<Parameters<Client['watch']>[1]>[0]>().not.toBeAny();
});

test('what the library knows of topics is what the deployment has', () => {
  for (const channel of systems.flatMap((system) => system.channels)) {
    const topic = channel.topicPattern
      .replace('{ticker}', '005930')
      .replace('{concertId}', '1')
      .replace('{seatId}', '55')
      .replace('{userId}', '100');
    if (topic.startsWith('canary:') || channel.internal) continue;
    expect([topic, isKnownState(topic)]).toEqual([topic, channel.kind === 'state']);
    const sorted = (address: string | null | undefined) => address?.split(/[?&]/).toSorted();
    expect(sorted(knownStream(topic))).toEqual(sorted(channel.http?.streamOf(topic)));
  }
});
