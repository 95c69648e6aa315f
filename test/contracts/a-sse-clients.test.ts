/** Event streams as popular clients read them: each hands the user every event once, and nothing that is no event. */
import { fetchEventSource } from '@microsoft/fetch-event-source';
import { EventSourcePlus } from 'event-source-plus';
import { EventSource } from 'eventsource';
import { describe, expect, test, vi } from 'vitest';
import { freshId, settled } from '../helpers/events.ts';
import { sharedHost } from '../helpers/host.ts';
import { inOrder } from '../helpers/in-order.ts';
import { queue } from '../helpers/stomp.ts';

const host = sharedHost();

interface Got {
  readonly event: string;
  readonly data: string;
  readonly id: string;
}
/** Opens a stream; resolves once it is open, to the way to close it. */
type Open = (url: string, onEvent: (got: Got) => void) => Promise<() => void>;

const CLIENTS: Readonly<Record<string, Open>> = {
  '@microsoft/fetch-event-source': (url, onEvent) =>
    new Promise((resolve, reject) => {
      // it is written for browsers
      vi.stubGlobal('window', globalThis);
      vi.stubGlobal('document', new EventTarget());
      const controller = new AbortController();
      fetchEventSource(url, {
        signal: controller.signal,
        openWhenHidden: true,
        fetch,
        async onopen() {
          resolve(() => controller.abort());
        },
        onmessage: ({ event, data, id }) => onEvent({ event, data, id }),
        // the library goes on only if this throws nothing and asks for more
        onclose() {
          throw new Error('come again');
        },
      }).catch(reject);
    }),
  'event-source-plus': (url, onEvent) =>
    new Promise((resolve) => {
      const controller = new EventSourcePlus(url).listen({
        onMessage: ({ event = '', data, id = '' }) => onEvent({ event, data, id }),
        onResponse: () => resolve(() => controller.abort()),
      });
    }),
  eventsource: (url, onEvent) =>
    new Promise((resolve) => {
      const source = new EventSource(url);
      for (const name of ['message', 'RESERVATION_STATUS', 'INIT'])
        source.addEventListener(name, ({ data, lastEventId }) => onEvent({ event: name, data: String(data), id: lastEventId }));
      source.addEventListener('open', () => resolve(() => source.close()));
    }),
};

describe.each(Object.entries(CLIENTS))('%s', (_, open) => {
  test('gets each reservation event once, with its id, and no empty one before, between and after', async () => {
    const [userId, seatId] = [freshId(), freshId()];
    const got = queue<Got>();
    const publisher = await inOrder(host, `/topic/reservations/${seatId}/${userId}`);

    const close = await open(`${host.url}/api/reservations/v5/subscribe?userId=${userId}&seatId=${seatId}`, got.push);
    await publisher.publish([settled(seatId, userId, 'FAIL'), settled(seatId, userId, 'SUCCESS')]);
    await publisher.close();

    const statuses = [await got.next(), await got.next()].map(({ event, data, id }) => [event, JSON.parse(data).status, id.split('-')[1]]);
    expect(statuses).toEqual([
      ['RESERVATION_STATUS', 'FAIL', '1'],
      ['RESERVATION_STATUS', 'SUCCESS', '2'],
    ]);
    await host.publish([settled(seatId, userId, 'FAIL')]);
    expect(JSON.parse((await got.next()).data)).toMatchObject({ status: 'FAIL' });
    expect(got.all).toHaveLength(3);
    close();
  });

  test('gets INIT of the waiting queue first', async () => {
    const [userId, concertId] = [freshId(), freshId()];
    const got = queue<Got>();

    const close = await open(`${host.url}/api/v1/waiting-queue/subscribe?userId=${userId}&concertId=${concertId}`, got.push);

    const first = await got.next();
    expect({ event: first.event, status: JSON.parse(first.data).status, id: first.id.split('-')[1] }).toEqual({
      event: 'INIT',
      status: 'UNKNOWN',
      id: '0',
    });
    close();
  });
});
