// @ts-check
/** One buyer's way to a seat, over STOMP and over Server-Sent Events. Both sides show the same positions. */
import { Client, ReconnectionTimeMode } from '@stomp/stompjs';
import { EventSource as FetchingEventSource } from 'eventsource';
import { AWAY } from './socket.js';

const USER = 100;
const CONCERT = 1;
const SEAT = 55;

/** Number of events in each list. */
const LISTED = 8;
const RETRY_MS = 5_000;
const RECONNECT_MS = { first: 1_000, most: 5_000 };
/** The streams get this long to open before STOMP registers. */
const STREAMS_FIRST_MS = 2_000;

/** @typedef {import('./page.js').Access} Access */
/** @typedef {{ status: string, rank: number, activeTtlSeconds: number, timestamp: string }} Place */
/** @typedef {{ status: string, timestamp: string }} Settled */
/** @typedef {{ text: string, final: boolean }} Refusal the reason, in words; `final` = a retry would fail too */
/** @typedef {{ event: string, position: string, data: Place | Settled }} Delivered */
/** @typedef {(side: Side, delivered: Delivered) => void} Show */
/** @typedef {{ stream: string, events: string[], registrations: string, ids: Record<string, number>, show: Show }} Way */
/** @typedef {ReturnType<typeof sideOf>} Side */

/** The two streams of a buyer: the place in the queue, and the result of the reservation. @type {Way[]} */
const WAYS = [
  {
    stream: `/api/v1/waiting-queue/subscribe?userId=${USER}&concertId=${CONCERT}`,
    events: ['INIT', 'RANK_UPDATE', 'ACTIVE', 'KEEPALIVE'],
    registrations: '/api/push/websocket/waiting-queue/subscriptions',
    ids: { userId: USER, concertId: CONCERT },
    show: (side, { event, position, data }) => side.placed(event, position, /** @type {Place} */ (data)),
  },
  {
    stream: `/api/reservations/v5/subscribe?userId=${USER}&seatId=${SEAT}`,
    events: ['RESERVATION_STATUS'],
    registrations: '/api/push/websocket/reservations/subscriptions',
    ids: { userId: USER, seatId: SEAT },
    show: (side, { event, position, data }) => side.settled(event, position, data),
  },
];

/** @param {Access} access */
export async function startTicket(access) {
  const opened = followStreams(sideOf('sse'), access);
  // a registration serves the user's next subscription on any transport: a stream that opened later would use it up before STOMP
  await Promise.race([opened, pause(STREAMS_FIRST_MS)]);
  await followStomp(sideOf('stomp'), access);
}

const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

// --- one side of the section -------------------------------------------------------------------------------------

/** @param {string} id */
function sideOf(id) {
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (document.getElementById(`${id}-${name}`));
  const write = (/** @type {string} */ name, /** @type {string} */ text) => {
    // screen readers announce a status again whenever it is set
    if (part(name).textContent !== text) part(name).textContent = text;
  };
  /** @type {Place | null} */
  let place = null;
  const showPlace = () => write('place', place ? placeText(place, Date.now()) : 'UNKNOWN');
  setInterval(showPlace, 1000);

  const list = (/** @type {string[]} */ ...texts) => {
    const events = /** @type {HTMLTableSectionElement} */ (part('events'));
    const row = events.insertRow(0);
    for (const text of texts) row.insertCell().textContent = text;
    while (events.rows.length > LISTED) events.deleteRow(-1);
  };
  const now = () => new Date().toLocaleTimeString();
  return {
    state: (/** @type {string} */ text) => write('state', text),
    placed(/** @type {string} */ event, /** @type {string} */ position, /** @type {Place} */ data) {
      place = data;
      showPlace();
      list(now(), data.status === 'WAITING' ? `${event} ${data.rank}` : event, position);
    },
    settled(/** @type {string} */ event, /** @type {string} */ position, /** @type {Settled} */ { status, timestamp }) {
      write('seat', `${status}, ${new Date(timestamp).toLocaleTimeString()}`);
      list(now(), `${event} ${status}`, position);
    },
  };
}

/** @param {Place} place @param {number} nowMs */
function placeText({ status, rank, activeTtlSeconds, timestamp }, nowMs) {
  if (status === 'WAITING') return `WAITING, rank ${rank}`;
  if (status !== 'ACTIVE') return status;
  const left = Math.ceil(activeTtlSeconds - (nowMs - Date.parse(timestamp)) / 1000);
  return left > 0 ? `ACTIVE, ${Math.min(left, activeTtlSeconds)} s left` : 'ACTIVE, time is up';
}

// --- refusals of the API --------------------------------------------------------------------------------------------

/** @param {Response} response @param {Access} access @returns {Promise<Refusal | null>} */
async function refusalOf(response, access) {
  if (response.ok) return null;
  const { error_message = `the server answered ${response.status}` } = await response.json().catch(() => ({}));
  if (response.status === 401) return { text: access.token === null ? access.hint : `${error_message}; ${access.hint}`, final: true };
  return { text: error_message, final: response.status < 500 && response.status !== 429 };
}

/** @type {Refusal} */
const NO_ANSWER = { text: AWAY, final: false };

// --- STOMP ----------------------------------------------------------------------------------------------------------

/** @param {Side} side @param {Access} access */
async function followStomp(side, access) {
  for (;;) {
    side.state('registering …');
    const answers = await Promise.all(WAYS.map((way) => register(way, access)));
    const refusal = answers.find((answer) => typeof answer !== 'string');
    if (!refusal) return connectStomp(/** @type {string[]} */ (answers), side, access);
    side.state(refusal.text);
    if (refusal.final) return;
    await pause(RETRY_MS);
  }
}

/** Returns the destination to subscribe to. @param {Way} way @param {Access} access @returns {Promise<string | Refusal>} */
async function register({ registrations, ids }, access) {
  try {
    const headers = { ...access.headers, 'content-type': 'application/json' };
    const response = await fetch(registrations, { method: 'POST', headers, body: JSON.stringify(ids) });
    return (await refusalOf(response, access)) ?? (await response.json()).destination;
  } catch {
    return NO_ANSWER;
  }
}

/** Errors that a new connection would meet again. */
const FINAL = new Set(['AUTHENTICATION_REQUIRED', 'PERMISSION_DENIED', 'CHANNEL_DISABLED', 'INVALID_MESSAGE_FORMAT']);

/** @param {string[]} destinations one for each way @param {Side} side @param {Access} access */
function connectStomp(destinations, side, access) {
  /** @type {Map<string, string>} the last message-id by destination, to resume from after a reconnect */
  const last = new Map();
  /** The server's error message before it closed. */
  let refused = '';
  const client = new Client({
    brokerURL: `${location.origin.replace(/^http/, 'ws')}/ws`,
    connectHeaders: access.headers,
    reconnectDelay: RECONNECT_MS.first,
    maxReconnectDelay: RECONNECT_MS.most,
    reconnectTimeMode: ReconnectionTimeMode.EXPONENTIAL,
    beforeConnect: () => side.state('connecting …'),
    onConnect() {
      side.state('live');
      for (const [index, way] of WAYS.entries()) subscribe(destinations[index] ?? '', way);
    },
    onStompError({ headers }) {
      const code = headers['error-code'] ?? '';
      refused = code === 'AUTHENTICATION_REQUIRED' ? `${headers['message']}; ${access.hint}` : (headers['message'] ?? code);
      if (FINAL.has(code)) void client.deactivate();
    },
    onWebSocketClose() {
      side.state(refused || NO_ANSWER.text);
      refused = '';
    },
  });
  const subscribe = (/** @type {string} */ destination, /** @type {Way} */ way) => {
    const since = last.get(destination);
    client.subscribe(
      destination,
      ({ headers, body }) => {
        const position = headers['message-id'] ?? '';
        last.set(destination, position);
        const message = JSON.parse(body);
        way.show(side, { event: message.event, position, data: message.data ?? message });
      },
      since === undefined ? {} : { since },
    );
  };
  client.activate();
}

// --- Server-Sent Events ---------------------------------------------------------------------------------------------

/** Follows every stream; resolves when each has opened or was refused. @param {Side} side @param {Access} access */
function followStreams(side, access) {
  const states = WAYS.map(() => 'connecting …');
  return Promise.all(
    WAYS.map(
      (way, index) =>
        new Promise((resolve) => {
          followStream(way, side, access, (text) => {
            states[index] = text;
            side.state(states.find((one) => one !== 'live') ?? 'live');
            resolve(undefined);
          });
        }),
    ),
  );
}

/** @param {Way} way @param {Side} side @param {Access} access @param {(state: string) => void} show @param {string} [from] */
function followStream(way, side, access, show, from = '') {
  let last = from;
  const source = sourceOf(from ? `${way.stream}&lastEventId=${from}` : way.stream, access);
  source.onopen = () => show('live');
  for (const name of way.events) {
    source.addEventListener(name, (/** @type {MessageEvent} */ { data, lastEventId }) => {
      last = lastEventId || last;
      way.show(side, { event: name, position: last, data: JSON.parse(data) });
    });
  }
  source.onerror = async () => {
    // the server ends every stream after a while, and EventSource opens the next by itself
    if (source.readyState !== source.CLOSED) return show('opening again …');
    source.close();
    const { text, final } = await whyNoStream(way.stream, access);
    show(text);
    if (!final) setTimeout(followStream, RETRY_MS, way, side, access, show, last);
  };
}

/** The browser's own EventSource cannot send a token. @param {string} url @param {Access} access */
function sourceOf(url, access) {
  if (access.token === null) return new EventSource(url);
  /** @type {import('eventsource').FetchLike} */
  const withToken = (to, init) => fetch(to, { ...init, headers: { ...init.headers, ...access.headers } });
  return /** @type {EventSource} */ (/** @type {unknown} */ (new FetchingEventSource(url, { fetch: withToken })));
}

/** Asks again with a plain request, because an EventSource does not report the response. @param {string} url @param {Access} access */
async function whyNoStream(url, access) {
  const asking = new AbortController();
  try {
    // with an id: a stream without one would use up what the next stream is to deliver
    const response = await fetch(`${url}&lastEventId=0`, { headers: access.headers, signal: asking.signal });
    return (await refusalOf(response, access)) ?? NO_ANSWER;
  } catch {
    return NO_ANSWER;
  } finally {
    asking.abort();
  }
}
