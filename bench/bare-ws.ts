/** The control: a single server without guarantees. It implements only the parts of the protocols that the loads use. */
import { createServer } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { events } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { events: { detail: Record<string, unknown> }[] };
    for (const { detail } of events) {
      if ('ticker' in detail) broadcast(detail);
      else sendToOwner(detail);
    }
    response.writeHead(202).end('{}');
  });
});
const sockets = new WebSocketServer({ server });
const owners = new Map<string, WebSocket>();

function broadcast({ ticker, timestamp, ...data }: Record<string, unknown>): void {
  const frame = JSON.stringify({ type: 'price_update', ticker, data, timestamp });
  for (const socket of sockets.clients) socket.send(frame);
}

function sendToOwner(detail: Record<string, unknown>): void {
  const { userId, concertId } = detail;
  const destination = `/topic/waiting-queue/${String(concertId)}/${String(userId)}`;
  const body = JSON.stringify({ event: 'RANK_UPDATE', userId, concertId, data: detail });
  owners.get(destination)?.send(`MESSAGE\ndestination:${destination}\nsubscription:a\nmessage-id:1\n\n${body}\0`);
}

sockets.on('connection', (socket) => {
  socket.on('message', (data: Buffer) => {
    const text = data.toString('utf8');
    const destination = /^destination:(.*)$/m.exec(text)?.[1];
    if (destination !== undefined) {
      owners.set(destination, socket);
      socket.send('CONNECTED\nversion:1.2\n\n\0RECEIPT\nreceipt-id:r\n\n\0');
    } else {
      const { topic } = JSON.parse(text) as { topic: string };
      socket.send(JSON.stringify({ type: 'subscribed', topic }));
    }
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(`ready http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
});
process.on('SIGINT', () => process.exit(0));
