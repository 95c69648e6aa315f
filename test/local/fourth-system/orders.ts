/** A fourth system, in one file: orders of a shop. It has a channel of each kind, a route, a setting, an event stream, client messages and a worker. */
import * as v from 'valibot';
import { wholeNumber } from '../../../core/base/numbers.ts';
import { defineChannel, type EventTime, event, type MessageOf } from '../../../core/channels/define-channel.ts';
import { ANYONE, onlyUser } from '../../../core/channels/permits.ts';
import { clientMessage, defineSystem, ok } from '../../../core/channels/system.ts';
import { PushError } from '../../../core/errors.ts';
import { numberOf, wholeNumberIn } from '../../../core/settings.ts';
import { systems as others } from '../../../systems/index.ts';

const FREE_SHIPPING = 'FREE_SHIPPING_FROM';

interface Stock {
  readonly left: number;
}

const stock = defineChannel({
  name: 'stock',
  kind: 'state',
  source: 'shop.stock',
  topic: 'stock:{article}',
  events: {
    StockCounted: event(v.object({ article: v.string(), left: wholeNumber }), ({ article, left }) => ({
      topic: { article },
      value: (): Stock => ({ left }),
    })),
  },
  payload: ({ parts: { newest }, values }: MessageOf<{ newest: Stock }, { readonly article: string }>) =>
    newest && { type: 'stock', article: values.article, left: newest.left },
  permits: ANYONE,
});

interface Order {
  readonly step: string;
  readonly total: number;
  readonly at: string;
}

const orders = defineChannel({
  name: 'orders',
  kind: 'log',
  source: 'shop.orders',
  topic: '/topic/orders/{orderId}/{userId}',
  events: {
    OrderMoved: event(v.object({ orderId: v.string(), userId: v.string(), step: v.string(), total: wholeNumber }), (order) => ({
      topic: { orderId: order.orderId, userId: order.userId },
      value: (at: EventTime): Order => ({ step: order.step, total: order.total, at: at.iso }),
    })),
  },
  payload: ({ parts: { newest }, settings }: MessageOf<{ newest: Order }>) =>
    newest && { type: 'order', ...newest, free_shipping: newest.total >= numberOf(settings, FREE_SHIPPING) },
  permits: onlyUser('userId'),
  http: { stream: '/api/orders/subscribe', registrations: '/api/push/websocket/orders/subscriptions' },
});

const shop = defineSystem({
  name: 'shop',
  channels: [stock, orders],
  settings: [{ name: FREE_SHIPPING, fallback: '100', check: wholeNumberIn(1), doc: 'total from which shipping is free' }],
  routes: [
    {
      method: 'GET',
      path: '/api/stock/{article}',
      async serve({ parameters: { article = '' } }, { topics }) {
        const topic = `stock:${article}`;
        const state = (await topics.read([topic])).get(topic);
        if (!state) throw new PushError('NOT_FOUND', `there is no article ${article}`);
        return ok({ article, ...state.parts['newest'] });
      },
    },
  ],
  messages: {
    ship: clientMessage(v.object({ data: v.object({ orderId: v.string(), userId: v.string() }) }), ({ data }, session) =>
      session.ports.work.put('shipping', data),
    ),
    greet: clientMessage(v.object({ data: v.object({ name: v.string() }) }), ({ data }, session) =>
      session.reply(JSON.stringify({ type: 'greeting', data })),
    ),
  },
  workers: {
    shipping: {
      timeoutSeconds: 10,
      uses: ['direct'],
      async serve(work, { lanes, newId, clock }) {
        const detail = { ...(work as { orderId: string; userId: string }), step: 'shipped', total: 60 };
        const event = {
          id: newId(),
          source: 'shop.orders',
          detailType: 'OrderMoved',
          detail,
          time: null,
          acceptedAtMs: clock.now(),
          index: 0,
        };
        await lanes.direct.send([event]);
      },
    },
  },
  everyMinute: async ({ catalogue, clock }) => catalogue.saveStatus('shop', { looked_at: clock.now() }),
  health: async ({ catalogue }) => ({ shop: (await catalogue.status('shop')) === null ? 'not looked at' : 'looked at' }),
});

export const systems = [...others, shop];
