// @ts-check
/** The page's one JSON socket: prices and operations share it, for a client may have only so many. It comes back by itself. */

/** First try after a moment, then slower: a restarted server is not stormed. */
const RETRY_MS = [500, 1000, 2000, 5000];

/** @typedef {(type: string, fields: object) => void} Send */
/** @typedef {{ opened: (send: Send) => void, told: (message: any, send: Send) => void, closed: () => void }} Listener */

/** @type {Listener[]} */
const listeners = [];
/** @type {WebSocket | undefined} */
let socket;
let tries = 0;
let wanted = true;

/** Asked again, the API would say the same. */
export const giveUp = () => {
  wanted = false;
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
  // a browser cannot send headers with a handshake: the token goes as a subprotocol beside the one to be answered with
  const protocols = access.token === null ? [] : ['push.json.v1', `bearer.${access.token}`];
  socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/ws`, protocols);
  socket.onopen = () => {
    tries = 0;
    for (const { opened } of listeners) opened(send);
  };
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'ping') return send('pong', {});
    for (const { told } of listeners) told(message, send);
  };
  socket.onclose = () => {
    for (const { closed } of listeners) closed();
    if (wanted) setTimeout(connect, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)], access);
  };
}
