// @ts-check
/** The page's one JSON socket. Prices and operations share it, because sockets per client are limited. It reconnects by itself. */

/** Delays before the next try. They grow, so that clients do not overload a restarted server. */
const RETRY_MS = [500, 1000, 2000, 5000];

/** @typedef {(type: string, fields: object) => void} Send */
/** @typedef {{ opened: (send: Send) => void, received: (message: any, send: Send) => void, closed: () => void }} Listener */

/** @type {Listener[]} */
const listeners = [];
/** @type {WebSocket | undefined} */
let socket;
let tries = 0;
let wanted = true;

/** What the page says while the server cannot be reached. */
export const AWAY = 'not connected, trying again …';

/** Whether the server refused this page's token, or wants one. */
export const isRefused = () => !wanted;

/** Stops reconnecting, because the server would refuse again. */
export const giveUp = () => {
  wanted = false;
  for (const { closed } of listeners) closed();
};

/** @type {Send} */
export const send = (type, fields) => {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type, ...fields }));
};

/** @param {Listener} listener */
export function listen(listener) {
  listeners.push(listener);
  if (socket?.readyState === WebSocket.OPEN) listener.opened(send);
}

/** @param {import('./page.js').Access} access */
export function connect(access) {
  if (!wanted) return;
  // browsers cannot send headers with a handshake, so the token is a second subprotocol beside the real one
  const protocols = access.token === null ? [] : ['push.json.v1', `bearer.${access.token}`];
  socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/ws`, protocols);
  socket.onopen = () => {
    tries = 0;
    for (const { opened } of listeners) opened(send);
  };
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'ping') return send('pong', {});
    for (const { received } of listeners) received(message, send);
  };
  socket.onclose = () => {
    for (const { closed } of listeners) closed();
    if (wanted) setTimeout(connect, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)], access);
  };
}
