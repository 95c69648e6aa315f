/** The three workloads, by the hour. */
import { type Client, clientHour, keepAliveHour, type Publishing, published, sum, times, trafficHour, type Usage } from './usage.ts';
import type { Walks } from './walks.ts';

export interface Workload {
  readonly name: string;
  readonly description: string;
  /** Hours of a month in which it runs. */
  readonly hours: number;
  /** Messages delivered to clients in an hour. */
  delivered(clients: number): number;
  /** Subscribers of its busiest topic, and the messages of that topic in a second. */
  busiest(clients: number): { readonly audience: number; readonly perSecond: number };
  usage(clients: number): Usage;
}

const TICKERS = 50;
const TICKERS_WATCHED = 3;
const TICK_SECONDS = 5;
const RANK_SECONDS = 10;
/** By the minute. */
const STATES = 6;
const LOG_EVENTS = 4 + 1;

export function workloads(walks: Walks): readonly Workload[] {
  const chart: Client = { dialect: 'json', subscribing: Array(TICKERS_WATCHED).fill({ walk: walks.subscribe, topics: 1 }) };
  const buyer: Client = {
    dialect: 'stomp',
    subscribing: [
      { walk: walks.subscribe, topics: 1 },
      { walk: walks.stompSubscribeLog, topics: 1 },
    ],
  };
  const dashboard: Client = { dialect: 'json', subscribing: [{ walk: walks.announcement, topics: 6 }] };
  const single = { lane: 'bus', eventsInRequest: 1, messagesInEvent: 1, batch: 1, itemUnits: 1 } as const;
  const toBuyers = { lane: 'direct', eventsInRequest: 500, messagesInEvent: 1, batch: 10, itemUnits: 1, audience: 1, bytes: 350 } as const;
  const watchers = (clients: number): number => (clients * TICKERS_WATCHED) / TICKERS;
  const tick = (clients: number): Publishing => ({
    ...single,
    messagesInEvent: TICKERS,
    walk: walks.stateEventHeard,
    itemUnits: 2,
    audience: watchers(clients),
    bytes: 400,
  });
  return [
    {
      name: 'Prices',
      description: `${TICKERS} tickers, each with a new price every ${TICK_SECONDS} s, all in one event on the bus; a client watches ${TICKERS_WATCHED}. A month is 21 trading days of 6.5 hours.`,
      hours: 21 * 6.5,
      delivered: (clients) => (clients * TICKERS_WATCHED * 3600) / TICK_SECONDS,
      busiest: (clients) => ({ audience: watchers(clients), perSecond: 1 / TICK_SECONDS }),
      usage: (clients) =>
        sum(
          times(clients, clientHour(chart, walks)),
          times((TICKERS * 3600) / TICK_SECONDS, published(tick(clients))),
          trafficHour(clients, chart),
        ),
    },
    {
      name: 'Ticketing',
      description: `Buyers in a waiting queue over STOMP: a new rank every ${RANK_SECONDS} s, published for 500 buyers at once on the direct lane, and one reservation an hour. A month is 20 hours of sales.`,
      hours: 20,
      delivered: (clients) => clients * (3600 / RANK_SECONDS + 1),
      busiest: () => ({ audience: 1, perSecond: 1 / RANK_SECONDS }),
      usage: (clients) =>
        sum(
          times(clients, clientHour(buyer, walks)),
          times((clients * 3600) / RANK_SECONDS, published({ ...toBuyers, walk: walks.stateEventHeard })),
          times(clients, published({ ...toBuyers, walk: walks.logEventHeard })),
          times(clients, keepAliveHour(toBuyers.bytes, walks)),
          trafficHour(clients, buyer),
        ),
    },
    {
      name: 'Operations',
      description: `Dashboards that get every broadcast: ${STATES} states, 4 log updates and an alert a minute, each an event on the bus. A month is all of its 730 hours.`,
      hours: 730,
      delivered: (clients) => clients * (STATES + LOG_EVENTS) * 60,
      busiest: (clients) => ({ audience: clients, perSecond: STATES / 60 }),
      usage: (clients) =>
        sum(
          times(clients, clientHour(dashboard, walks)),
          times(STATES * 60, published({ ...single, walk: walks.stateEventHeard, audience: clients, bytes: 500 })),
          times(LOG_EVENTS * 60, published({ ...single, walk: walks.logEventHeard, audience: clients, bytes: 500 })),
          trafficHour(clients, dashboard),
        ),
    },
  ];
}
