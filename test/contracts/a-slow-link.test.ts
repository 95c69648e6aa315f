/**
 * STOMP clients that name no subprotocol, over a slow link: the server takes such a connection for JSON and greets it before
 * the CONNECT arrives. They must connect all the same, at any round-trip time.
 */
import { Client } from '@stomp/stompjs';
import { Stomp as oldStomp } from 'stompjs/lib/stomp.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import webstomp from 'webstomp-client';
import WebSocket from 'ws';
import { freshId, settled } from '../helpers/events.ts';
import { sharedHost } from '../helpers/host.ts';
import { type SlowLink, slowLink } from '../helpers/slow-link.ts';
import { queue } from '../helpers/stomp.ts';
import { within } from '../helpers/within.ts';

const host = sharedHost();
// its wrapper for Node brings a socket of its own
Object.assign(oldStomp, { setInterval: (ms: number, beat: () => void) => setInterval(beat, ms), clearInterval });

/** In each direction, in ms. */
const DELAYS = [0, 50, 110, 130, 250, 500, 1_000];

/** Connects and subscribes by the client's own ways; resolves when it is connected. */
type Connect = (url: string, destination: string, onBody: (body: string) => void) => Promise<() => void>;

const CLIENTS: Readonly<Record<string, Connect>> = {
  '@stomp/stompjs 7': (url, destination, onBody) =>
    new Promise((resolve, reject) => {
      const client = new Client({ reconnectDelay: 0, webSocketFactory: () => new WebSocket(url) });
      client.onStompError = ({ headers }) => reject(new Error(headers['message']));
      client.onConnect = () => {
        client.subscribe(destination, ({ body }) => onBody(body));
        resolve(() => void client.deactivate());
      };
      client.activate();
    }),
  'webstomp-client': (url, destination, onBody) =>
    new Promise((resolve, reject) => {
      const client = webstomp.over(new WebSocket(url) as never, { debug: false });
      client.connect(
        {},
        () => {
          client.subscribe(destination, ({ body }) => onBody(body));
          resolve(() => client.disconnect());
        },
        reject,
      );
    }),
  'stompjs 2.3.3': (url, destination, onBody) =>
    new Promise((resolve, reject) => {
      const client = oldStomp.over(new WebSocket(url));
      client.debug = () => undefined;
      client.connect(
        {},
        () => {
          client.subscribe(destination, ({ body }) => onBody(body));
          resolve(() => client.disconnect(() => undefined));
        },
        reject,
      );
    }),
};

describe.each(DELAYS)('%i ms in each direction', { concurrent: true }, (delayMs) => {
  let link: SlowLink;
  beforeAll(async () => {
    link = await slowLink(host.url, delayMs);
  });
  afterAll(() => link.stop());

  test.each(Object.entries(CLIENTS))('%s connects without subprotocol, and gets messages', async (_, connect) => {
    const [userId, seatId] = [freshId(), freshId()];
    const bodies = queue<string>();

    const leave = await within(
      connect(`${link.url.replace('http', 'ws')}/ws`, `/topic/reservations/${seatId}/${userId}`, bodies.push),
      'CONNECTED',
    );
    await host.eventually(
      async () => {
        await host.publish([settled(seatId, userId, 'SUCCESS')]);
        return bodies.all.length;
      },
      (got) => got > 0,
      // twice there and back: what is published faster than that piles up on a slow machine
      4 * delayMs + 100,
    );

    expect(JSON.parse(await bodies.next())).toMatchObject({ event: 'RESERVATION_STATUS', seatId, userId });
    leave();
  });
});
