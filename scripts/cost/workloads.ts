/** The three workloads, by the hour. */
import { clientHour, keepAlive, published, sum, sweepHour, times, type Usage } from './usage.ts';
import type { Walks } from './walks.ts';

export interface Workload {
  readonly name: string;
  readonly says: string;
  /** Hours of a month in which it runs. */
  readonly hours: number;
  /** Messages delivered to clients in an hour. */
  delivered(clients: number): number;
  usage(clients: number): Usage;
}

const TICKERS = 50;
const TICKERS_WATCHED = 3;
const TICK_SECONDS = 5;
const RANK_SECONDS = 10;
/** By the minute. */
const BROADCASTS = 12 + 20 + 1;

export const workloads = (walks: Walks): readonly Workload[] => [
  {
    name: 'Prices',
    says: `${TICKERS} tickers, each with a new price every ${TICK_SECONDS} s, 50 of them in one event; a client watches ${TICKERS_WATCHED}. A month is 21 trading days of 6.5 hours.`,
    hours: 21 * 6.5,
    delivered: (clients) => (clients * TICKERS_WATCHED * 3600) / TICK_SECONDS,
    usage: (clients) =>
      sum(
        times(clients, clientHour(Array(TICKERS_WATCHED).fill(walks.subscribe), 'json', walks)),
        times(
          (TICKERS * 3600) / TICK_SECONDS,
          published({
            lane: 'bus',
            eventsInRequest: 1,
            messagesInEvent: TICKERS,
            batch: 1,
            walk: walks.stateEventHeard,
            writeUnits: 2,
            audience: (clients * TICKERS_WATCHED) / TICKERS,
            bytes: 400,
          }),
        ),
        sweepHour(clients),
      ),
  },
  {
    name: 'Ticketing',
    says: `Buyers in a waiting queue over STOMP: a new rank every ${RANK_SECONDS} s, published for 500 buyers at once on the direct lane, and one reservation an hour. A month is 20 hours of sales.`,
    hours: 20,
    delivered: (clients) => clients * (3600 / RANK_SECONDS + 1),
    usage: (clients) => {
      const rank = { lane: 'direct', eventsInRequest: 500, messagesInEvent: 1, batch: 10, audience: 1 } as const;
      return sum(
        times(clients, clientHour([walks.subscribe, walks.stompSubscribeLog], 'stomp', walks)),
        times((clients * 3600) / RANK_SECONDS, published({ ...rank, walk: walks.stateEventHeard, writeUnits: 1, bytes: 350 })),
        times(clients, published({ ...rank, walk: walks.logEventHeard, writeUnits: 1, bytes: 350 })),
        times(clients * (60 / 4), keepAlive(350)),
        sweepHour(clients),
      );
    },
  },
  {
    name: 'Operations',
    says: `Dashboards that get every broadcast: ${BROADCASTS} a minute (12 states, 20 log entries, an alert). A month is all of its 730 hours.`,
    hours: 730,
    delivered: (clients) => clients * BROADCASTS * 60,
    usage: (clients) =>
      sum(
        times(clients, clientHour([walks.announcement], 'json', walks)),
        times(
          BROADCASTS * 60,
          published({
            lane: 'bus',
            eventsInRequest: 1,
            messagesInEvent: 1,
            batch: 1,
            walk: walks.logEventHeard,
            writeUnits: 1,
            audience: clients,
            bytes: 500,
          }),
        ),
        sweepHour(clients),
      ),
  },
];
