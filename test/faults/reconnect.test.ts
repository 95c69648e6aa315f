/** A client that reconnects misses nothing, on any transport, however often it is cut off. `CLIENTS=500 CUTS=10` for the long run. */
import { EventSource } from 'eventsource';
import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { parseFrames } from '../../core/protocol/stomp-frame.ts';
import { makeLevers } from '../../local/base/levers.ts';
import { rank, settled } from '../helpers/events.ts';
import { runWith } from '../helpers/local.ts';
import { frame } from '../helpers/stomp.ts';

const CLIENTS = Number(process.env['CLIENTS'] ?? 40);
const CUTS = Number(process.env['CUTS'] ?? 3);
const SEED = Number(process.env['SEED'] ?? 1);
const EVENTS_A_SECOND = 20;
/** Cuts per second over all clients: more would only measure the speed of the machine. */
const CUTS_A_SECOND = 40;
/** Clients per topic. */
const TOGETHER = 10;

type Kind = 'log' | 'state';
type Transport = 'stomp' | 'sse';

interface Follower {
  readonly kind: Kind;
  readonly user: number;
  transport: Transport;
  /** Whether it changes its transport at each reconnect. */
  readonly switches: boolean;
  /** The position it reconnects with. */
  position: string;
  /** On a state topic, the last rank it got. */
  rank: number;
  readonly wrong: string[];
  repeats: number;
}

const CONCERT = 1;
const SEAT = 55;
const topicOf = ({ kind, user }: Follower): string =>
  kind === 'log' ? `/topic/reservations/${SEAT}/${user}` : `/topic/waiting-queue/${CONCERT}/${user}`;
const pathOf = ({ kind, user }: Follower): string =>
  kind === 'log'
    ? `/api/reservations/v5/subscribe?userId=${user}&seatId=${SEAT}`
    : `/api/v1/waiting-queue/subscribe?userId=${user}&concertId=${CONCERT}`;

/** Takes a message as a client should: drops it if it is not newer, and counts a gap in a log as a loss. */
function take(follower: Follower, position: string, payload: { data?: { rank: number }; rank?: number }): void {
  const [epoch, offset] = position.split('-');
  const [lastEpoch, lastOffset] = follower.position.split('-');
  const [now, last] = [Number(offset), epoch === lastEpoch ? Number(lastOffset) : 0];
  if (now <= last) {
    follower.repeats++;
    return;
  }
  if (follower.kind === 'log' && now !== last + 1) follower.wrong.push(`${now} came after ${last}`);
  follower.position = position;
  if (follower.kind === 'state') follower.rank = payload.data?.rank ?? payload.rank ?? -1;
}

/** Connects with its position. Returns the function that cuts it off. */
function follow(follower: Follower, url: string): () => void {
  return follower.transport === 'stomp' ? followStomp(follower, url) : followSse(follower, url);
}

/** Comes back after a second when the server refuses or ends the connection, as a busy one may; EventSource does so by itself. */
function followStomp(follower: Follower, url: string): () => void {
  let cutOff = false;
  let current = connectStomp(follower, url, again);
  function again(): void {
    if (cutOff) return;
    setTimeout(() => {
      if (!cutOff) current = connectStomp(follower, url, again);
    }, 1_000);
  }
  return () => {
    cutOff = true;
    current.terminate();
  };
}

function connectStomp(follower: Follower, url: string, closed: () => void): WebSocket {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, 'v12.stomp');
  // a close follows
  socket.on('error', () => undefined);
  socket.on('close', closed);
  socket.on('open', () => {
    const since = follower.position.replace(':', '\\c');
    socket.send(frame('CONNECT', { 'accept-version': '1.2' }) + frame('SUBSCRIBE', { id: 'a', destination: topicOf(follower), since }));
  });
  socket.on('message', (data: Buffer) => {
    for (const { command, headers, body } of parseFrames(data.toString('utf8'), () => '1.2')) {
      if (command === 'MESSAGE') take(follower, headers.get('message-id') ?? '', JSON.parse(body) as { data: { rank: number } });
      if (command === 'ERROR') follower.wrong.push(headers.get('message') ?? '');
    }
  });
  return socket;
}

function followSse(follower: Follower, url: string): () => void {
  const source = new EventSource(url + pathOf(follower), {
    fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, 'Last-Event-ID': follower.position } }),
  });
  for (const name of ['INIT', 'RANK_UPDATE', 'ACTIVE', 'RESERVATION_STATUS']) {
    source.addEventListener(name, ({ data, lastEventId }: MessageEvent) =>
      take(follower, lastEventId, JSON.parse(String(data)) as { rank: number }),
    );
  }
  return () => source.close();
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

test(`${CLIENTS} clients, each cut off ${CUTS} times at random while events flow, miss nothing and end on the newest`, {
  timeout: 600_000,
}, async () => {
  // short streams: the platform does not notice that a client has left, and streams on to their end
  const own = await runWith({ SSE_SECONDS: '5', SSE_MAX_STREAMS: '10000', ACCOUNT_CONCURRENCY: '20000' });
  const { random } = makeLevers(SEED);
  const followers = Array.from(
    { length: CLIENTS },
    (_, index): Follower => ({
      kind: index % 2 ? 'log' : 'state',
      user: 1 + Math.floor(index / TOGETHER),
      transport: index % 3 === 0 ? 'sse' : 'stomp',
      switches: index % 4 === 0,
      position: 'none-0',
      rank: -1,
      wrong: [],
      repeats: 0,
    }),
  );
  const users = followers.at(-1)?.user ?? 1;

  let done = false;
  const published = { log: new Map<number, number>(), state: new Map<number, number>() };
  const publishing = (async () => {
    for (let serial = 1; !done; serial++) {
      const user = 1 + (Math.floor(serial / 2) % users);
      const [event, kind] =
        serial % 2 ? ([settled(SEAT, user, 'SUCCESS'), 'log'] as const) : ([rank(CONCERT, user, serial), 'state'] as const);
      published[kind].set(user, kind === 'log' ? (published.log.get(user) ?? 0) + 1 : serial);
      await Promise.all([own.publish([event]), pause(1000 / EVENTS_A_SECOND)]);
    }
  })();

  const stayMs = (CLIENTS * 1000) / CUTS_A_SECOND;
  const ends = await Promise.all(
    followers.map(async (follower) => {
      for (let cut = 0; cut < CUTS; cut++) {
        const cutOff = follow(follower, own.url);
        await pause(2 * stayMs * random());
        cutOff();
        if (follower.switches) follower.transport = follower.transport === 'stomp' ? 'sse' : 'stomp';
      }
      return follow(follower, own.url);
    }),
  );
  done = true;
  await publishing;

  const missing = (): string[] =>
    followers.flatMap(({ kind, user, transport, position, rank: last }) => {
      const wanted = published[kind].get(user) ?? (kind === 'log' ? 0 : -1);
      const has = kind === 'log' ? Number(position.split('-')[1]) : last;
      return has === wanted ? [] : [`${kind} of ${user} over ${transport}: ${has}, not ${wanted}`];
    });
  for (let waited = 0; waited < 30_000 && missing().length > 0; waited += 50) await pause(50);
  expect(missing()).toEqual([]);
  expect(followers.flatMap(({ wrong }) => wrong)).toEqual([]);
  const repeats = followers.reduce((sum, one) => sum + one.repeats, 0);
  console.log(
    `${CLIENTS * CUTS} reconnects, ${[...published.log.values()].reduce((a, b) => a + b, 0)} log events; ${repeats} repeats dropped by position`,
  );
  for (const end of ends) end();
  await own.run.stop();
});
