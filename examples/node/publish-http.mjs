/** Publishes a tick over HTTP, without any package: node examples/node/publish-http.mjs 005930 70000 */
const [ticker = '005930', price = '70000'] = process.argv.slice(2);
const response = await fetch(`${process.env.PUSH_URL ?? 'http://localhost:8000'}/internal/events`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', 'x-api-key': process.env.PUSH_KEY ?? 'local-key' },
  body: JSON.stringify({
    events: [
      {
        // the same id again is the same event: a request whose answer was lost may be repeated
        id: `tick-${Date.now()}`,
        source: 'market.price',
        detailType: 'PriceTicked',
        detail: {
          ticker,
          price: +price,
          change: 0,
          change_rate: 0,
          volume: 1,
          bid_price: +price,
          ask_price: +price,
          timestamp: new Date().toISOString(),
        },
      },
    ],
  }),
});
console.log(response.status, await response.text());
if (!response.ok) process.exitCode = 1;
