/** The control: what somebody writes in an hour with one server and no promises. It speaks as much of the protocol as the load needs. */
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { events } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { events: { detail: Record<string, unknown> }[] };
    for (const { detail } of events) {
      const { ticker, timestamp, ...data } = detail;
      const frame = JSON.stringify({ type: 'price_update', ticker, data, timestamp });
      for (const socket of sockets.clients) socket.send(frame);
    }
    response.writeHead(202).end('{}');
  });
});
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket) => {
  socket.on('message', (data: Buffer) => {
    const { topic } = JSON.parse(data.toString('utf8')) as { topic: string };
    socket.send(JSON.stringify({ type: 'subscribed', topic }));
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(`ready http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
});
process.on('SIGINT', () => process.exit(0));
