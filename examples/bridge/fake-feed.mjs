/** A feed to try the bridge with: ticks of three tickers, and now and then what real feeds do. PORT=9000 node examples/bridge/fake-feed.mjs */
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({ port: Number(process.env.PORT ?? 9000), host: '127.0.0.1' });
const prices = new Map([
  ['005930', 70_000],
  ['000660', 180_000],
  ['035420', 210_000],
]);
let volume = 0;

server.on('listening', () => console.log(`ready ws://localhost:${server.address().port}`));
server.on('connection', (socket) => {
  // after so many ticks the connection goes, as real ones do
  let left = 40;
  const timer = setInterval(() => {
    if (left-- === 0) return socket.terminate();
    for (const [code, before] of prices) {
      const price = before + Math.round((Math.random() - 0.5) * 20) * 100;
      prices.set(code, price);
      const tick = { code, price, diff: 100, rate: 0.1, volume: ++volume, bid: price, ask: price + 100, time: new Date().toISOString() };
      // "no trade", and a message that is no tick
      socket.send(JSON.stringify(left % 10 === 5 ? { ...tick, price: 0 } : tick));
      if (left % 10 === 7) socket.send('heartbeat');
    }
  }, 50);
  socket.on('close', () => clearInterval(timer));
  socket.on('error', () => socket.terminate());
});
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
