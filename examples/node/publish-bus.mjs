/** Puts a tick onto the bus with the AWS SDK: BUS=… AWS_ENDPOINT_URL=http://localhost:4567 node examples/node/publish-bus.mjs 005930 70000 */
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';

const [ticker = '005930', price = '70000'] = process.argv.slice(2);
const bus = new EventBridgeClient({});
const { FailedEntryCount, Entries } = await bus.send(
  new PutEventsCommand({
    Entries: [
      {
        EventBusName: process.env.BUS,
        Source: 'market.price',
        DetailType: 'PriceTicked',
        Detail: JSON.stringify({
          ticker,
          price: +price,
          change: 0,
          change_rate: 0,
          volume: 1,
          bid_price: +price,
          ask_price: +price,
          timestamp: new Date().toISOString(),
        }),
      },
    ],
  }),
);
// a call may succeed although an entry failed
console.log(FailedEntryCount === 0 ? 'published' : Entries);
if (FailedEntryCount !== 0) process.exitCode = 1;
