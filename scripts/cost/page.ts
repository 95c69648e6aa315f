/** `docs/cost-and-scale.md`, computed from counted requests and dated prices. */
import { FRONT_DOOR_GB, type Item, PRICES, PRICES_OF, REGIONS, type Region } from './prices.ts';
import { idleHour, METRICS, MONTH_HOURS, type Parts, POST_SECONDS, times, type Usage } from './usage.ts';
import { WALKS, type Walks } from './walks.ts';
import { type Workload, workloads } from './workloads.ts';

const CLIENTS = [1_000, 10_000] as const;
const ITEMS = Object.keys(PRICES) as Item[];

const priceOf = (item: Item, region: Region): number => PRICES[item].price[region] ?? PRICES[item].price['us-east-1'];
const costOf = (item: Item, usage: Usage, region: Region): number => ((usage[item] ?? 0) / PRICES[item].per) * priceOf(item, region);
const totalOf = (usage: Usage, region: Region): number => ITEMS.reduce((all, item) => all + costOf(item, usage, region), 0);
const isKnown = (item: Item): boolean => REGIONS.every((region) => PRICES[item].price[region] !== null);

const dollars = (amount: number): string =>
  amount >= 100 ? `$${Math.round(amount).toLocaleString('en-US')}` : amount >= 1 ? `$${amount.toFixed(2)}` : `$${amount.toPrecision(2)}`;
const thousands = (amount: number): string => Math.round(amount).toLocaleString('en-US');

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** Items that make less than this part of every bill are put together. */
const SMALL = 0.005;

interface Column {
  readonly title: string;
  readonly usage: Usage;
  readonly region: Region;
}

const columnsOf = (usages: readonly { readonly title: string; readonly usage: Usage }[]): Column[] =>
  usages.flatMap(({ title, usage }) => REGIONS.map((region) => ({ title: `${title}, ${region}`, usage, region })));

function billTable(columns: readonly Column[]): string {
  const items = ITEMS.filter((item) => columns.some(({ usage }) => (usage[item] ?? 0) > 0));
  const isLarge = (item: Item): boolean =>
    columns.some(({ usage, region }) => costOf(item, usage, region) / totalOf(usage, region) >= SMALL);
  const row = (name: string, some: readonly Item[]): string[] => [
    name,
    ...columns.map(({ usage, region }) => dollars(some.reduce((all, item) => all + costOf(item, usage, region), 0))),
  ];
  const small = items.filter((item) => !isLarge(item));
  return table(
    ['', ...columns.map(({ title }) => title)],
    [
      ...items.filter(isLarge).map((item) => row(`${PRICES[item].item}${isKnown(item) ? '' : ' *'}`, [item])),
      ...(small.length > 0 ? [row('the rest', small)] : []),
      row('in all', items).map((cell) => `**${cell}**`),
    ],
  );
}

function workloadSection({ name, description, hours, delivered, usage }: Workload): string {
  const usages = CLIENTS.map((clients) => ({ clients, title: `${thousands(clients)} clients`, usage: usage(clients) }));
  const columns = columnsOf(usages);
  const perMillion = usages.flatMap(({ clients, usage: used }) =>
    REGIONS.map((region) => dollars((totalOf(used, region) / delivered(clients)) * 1e6)),
  );
  const gigabytes = ({ usage: { bytesOut = 0 } }: Column): number => bytesOut / 1e9;
  return `### ${name}

${description} An hour:

${billTable(columns)}

${table(
  ['', ...columns.map(({ title }) => title)],
  [
    ['a month, beside Idle', ...columns.map(({ usage: used, region }) => dollars(totalOf(used, region) * hours))],
    ['a million delivered messages', ...perMillion],
    ['delivered in an hour', ...usages.flatMap(({ clients }) => REGIONS.map(() => thousands(delivered(clients))))],
    ['GB out in an hour', ...columns.map((column) => gigabytes(column).toFixed(2))],
    ['their price through a front door', ...columns.map((column) => dollars(gigabytes(column) * FRONT_DOOR_GB[column.region]))],
  ],
)}`;
}

/** Quotas of an account and region, as they are before anybody asks for more. */
const QUOTA = { posts: 10_000, connects: 500 } as const;

const scaleTable = (all: readonly Workload[]): string =>
  table(
    [
      'workload',
      'clients',
      'posts a second',
      'of the default quota',
      'all connect anew in',
      'a message reaches its whole audience in',
      'its topic keeps a worker busy',
    ],
    all.flatMap(({ name, usage, busiest }) =>
      CLIENTS.map((clients) => {
        const perSecond = (usage(clients).posts ?? 0) / 3600;
        const topic = busiest(clients);
        const seconds = topic.audience * POST_SECONDS;
        return [
          name,
          thousands(clients),
          thousands(perSecond),
          `${Math.round((perSecond / QUOTA.posts) * 100)} %`,
          `${Math.ceil(clients / QUOTA.connects)} s`,
          topic.audience === 1 ? 'at once' : `${seconds.toPrecision(1)} s`,
          `${Math.round(seconds * topic.perSecond * 100)} %`,
        ];
      }),
    ),
  );

/** An event stream's function, in GB, and the looks of an hour (`docs/access-patterns.md`). */
const STREAM = { gb: 0.1875, looks: 5_500 } as const;
const streamHour = (walks: Walks): number =>
  totalOf({ lambdaGbSeconds: STREAM.gb * 3600, readUnits: STREAM.looks * walks.streamLook.reads }, 'us-east-1');

const FRAME_BYTES = 32 * 1024;
const million = (item: Item, amount: number): string => dollars(costOf(item, { [item]: amount * 1e6 }, 'ap-northeast-2'));

const pricesTable = (): string =>
  table(
    ['', 'for a', ...REGIONS],
    ITEMS.map((item) => [
      PRICES[item].item,
      PRICES[item].unit,
      ...REGIONS.map((region) => (PRICES[item].price[region] === null ? '*' : `$${PRICES[item].price[region]}`)),
    ]),
  );

/** @param parts counts of the template */
export function costPage(parts: Parts, walks: Walks = WALKS): string {
  const all = workloads(walks);
  return `# Cost and scale

A deployment's bill, and the limit that it meets first. \`npm run cost-doc\` computes this page: requests to tables as [\`test/functions/budget\`](../test/functions/budget.test.ts) counts them, parts of the template, and list prices of ${PRICES_OF} ([below](#prices)).

- Prices are second-hand, without free tiers and discounts: check those of [API Gateway](https://aws.amazon.com/api-gateway/pricing/), [DynamoDB](https://aws.amazon.com/dynamodb/pricing/) and [CloudFront](https://aws.amazon.com/cloudfront/pricing/) before you rely on them.
- \\* = a price that was not known for ap-northeast-2 (Seoul): that of us-east-1 stands in.
- Sizes of messages and items, times of functions and lengths of log lines are estimates (\`scripts/cost/usage.ts\`): nothing here has run on an account.
- Clients stay for the whole hour, have no identity (with it each request reads once more), and events have no id of their own (with one, a write more each).
- Not counted: storage of tables and logs, point-in-time recovery, and REST calls of clients.
- No message shares its frame with another yet, so each delivery is one message of API Gateway, whatever its size up to 32 KB.

## Idle

A month of a deployment that nobody uses: ${parts.polledQueues} polled queues with five pollers each, ${parts.alarms} alarms, a dashboard, ${parts.secrets} secrets, and ${METRICS.idle} metrics of the functions that run every minute.

${billTable(columnsOf([{ title: 'a month', usage: times(MONTH_HOURS, idleHour(parts)) }]))}

## Workloads

${all.map(workloadSection).join('\n\n')}

## What moves the bill

- **Deliveries.** API Gateway's price for each message is most of a bill with large audiences. Send fewer: state topics are conflated to 5 a second, filters leave out what a dashboard does not show, and one event may carry 500 quotes.
- **Writes.** A message to one buyer costs more in DynamoDB than in API Gateway: its commit and its turn are ${walks.stateEventHeard.writes} writes, whatever the size of the audience.
- **Bytes.** A message of 32 KB costs as much to deliver as one of 1 KB, and more in transfer: in Seoul a million full frames are ${million('bytesOut', FRAME_BYTES)} of bytes beside ${million('socketMessages', 1)} of messages.
- **Event streams.** A stream holds a running function: ${dollars(streamHour(walks))} an hour for each client. [What an event stream costs](access-patterns.md#what-an-event-stream-costs).
- **The bus.** \`lane: direct\` saves ${dollars(costOf('busEvents', { busEvents: 1e6 }, 'us-east-1'))} a million events, and 100 to 400 ms.
- **Signs of life.** One every four minutes is 15 an hour for each client. \`PING_INTERVAL_SECONDS\` may be up to 540.

## Scale

The last two columns are estimates, as the times of functions are.

${scaleTable(all)}

- **Posts** share the account's 10,000 requests a second (2,500 in newer regions) with every API in it: [quotas to raise](operate.md#quotas-to-raise). Above it deliveries are late, in order, and states are conflated further; nothing is lost.
- **Connects**: 500 a second. Let clients come back at a random moment of a window that is longer than that.
- **One worker** delivers a topic at a time, and the last column may not pass 100 %: then a state is conflated further, and a log falls behind. Shards are planned.
- **One topic** takes 1,000 writes a second, since its items lie in one partition.

## Prices

In US dollars, of ${PRICES_OF}.

${pricesTable()}
`;
}
