// @ts-check
/**
 * One STOMP session by hand, with nothing but Node: CONNECT, then SUBSCRIBE to the buyer's place. Prints the handshake's status, the
 * subprotocol that was chosen, and the commands that came back.
 */
import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

const [base = '', protocol = ''] = process.argv.slice(2);
const LIMIT_MS = 10_000;
const token = process.env['TOKEN'];

/** A client's text frame of less than 64 KB: masked, as it must be. @param {string} text */
function frameOf(text) {
  const body = Buffer.from(text);
  const mask = randomBytes(4);
  const head = body.length < 126 ? [0x81, 0x80 | body.length] : [0x81, 0x80 | 126, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from(head), mask, body.map((byte, index) => byte ^ Number(mask[index % 4]))]);
}

/** The STOMP commands in what the server sent: each stands on a line of its own after a frame's end. @param {Buffer} bytes */
const commandsIn = (bytes) =>
  [...bytes.toString('latin1').matchAll(/(?:^|[^A-Z])(CONNECTED|RECEIPT|ERROR)\n/g)].map(([, command]) => command);

const stomp = (/** @type {string[]} */ ...lines) => frameOf(`${lines.join('\n')}\n\n\0`);

const url = new URL('/ws', base);
const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
  headers: {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': randomBytes(16).toString('base64'),
    ...(protocol === '' ? {} : { 'sec-websocket-protocol': protocol }),
  },
});
request.on('response', ({ statusCode }) => end(`${statusCode}`));
request.on('error', (error) => end(error.message));
request.on('upgrade', (response, socket) => {
  const chosen = response.headers['sec-websocket-protocol'];
  let received = Buffer.alloc(0);
  const seen = () => ['101', chosen, ...commandsIn(received)].filter(Boolean).join(' ');
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    const commands = commandsIn(received);
    if (commands.includes('RECEIPT') || commands.includes('ERROR')) end(seen());
    else if (commands.length === 1 && !subscribed) {
      subscribed = true;
      socket.write(stomp('SUBSCRIBE', 'id:a', 'destination:/topic/waiting-queue/1/100', 'receipt:r'));
    }
  });
  socket.on('close', () => end(seen()));
  let subscribed = false;
  socket.write(stomp('CONNECT', 'accept-version:1.2', ...(token ? [`Authorization:Bearer ${token}`] : [])));
});
request.end();
setTimeout(() => end('no answer'), LIMIT_MS);

/** @param {string} text */
function end(text) {
  console.log(text);
  process.exit(0);
}
