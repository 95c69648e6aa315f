/** `docs/cost-and-scale.md`, computed from counted requests and dated prices. */
import { FRONT_DOOR, type Item, PRICES, PRICES_OF, REGIONS, type Region } from './prices.ts';
import { idleHour, type Parts, POST_SECONDS, type Usage } from './usage.ts';
import { WALKS, type Walks } from './walks.ts';
import { type Workload, workloads } from './workloads.ts';

const CLIENTS = [1_000, 10_000] as const;
const MONTH_HOURS = 730;

const priceOf = (item: Item, region: Region): number => PRICES[item].price[region] ?? PRICES[item].price['us-east-1'];
const costOf = (item: Item, amount: number, region: Region): number => (amount / PRICES[item].per) * priceOf(item, region);
const isKnown = (item: Item): boolean => REGIONS.every((region) => PRICES[item].price[region] !== null);

const total = (usage: Usage, region: Region): number =>
  (Object.entries(usage) as [Item, number][]).reduce((all, [item, amount]) => all + costOf(item, amount, region), 0);

const dollars = (amount: number): string =>
  amount >= 100 ? `$${Math.round(amount).toLocaleString('en-US')}` : amount >= 1 ? `$${amount.toFixed(2)}` : `$${amount.toPrecision(2)}`;
const thousands = (amount: number): string => Math.round(amount).toLocaleString('en-US');

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** Items that make less than this part of a bill are put together. */
const SMALL = 0.005;

function billTable(usages: readonly { readonly title: string; readonly usage: Usage }[]): string {
  const columns = usages.flatMap(({ title, usage }) => REGIONS.map((region) => ({ title: `${title}, ${region}`, usage, region })));
  const items = (Object.keys(PRICES) as Item[]).filter((item) => usages.some(({ usage }) => (usage[item] ?? 0) > 0));
  const isLarge = (item: Item): boolean =>
    columns.some(({ usage, region }) => costOf(item, usage[item] ?? 0, region) / total(usage, region) >= SMALL);
  const row = (name: string, some: readonly Item[]): string[] => [
    name,
    ...columns.map(({ usage, region }) => dollars(some.reduce((all, item) => all + costOf(item, usage[item] ?? 0, region), 0))),
  ];
  const [large, small] = [items.filter(isLarge), items.filter((item) => !isLarge(item))];
  return table(
    ['', ...columns.map(({ title }) => title)],
    [
      ...large.map((item) => row(`${PRICES[item].item}${isKnown(item) ? '' : ' *'}`, [item])),
      ...(small.length > 0 ? [row('the rest', small)] : []),
      row('**in all**', items).map((cell, index) => (index === 0 ? cell : `**${cell}**`)),
    ],
  );
}

function workloadSection({ name, says, hours, delivered, usage }: Workload): string {
  const usages = CLIENTS.map((clients) => ({ clients, title: `${thousands(clients)} clients`, usage: usage(clients) }));
  const byColumn = (value: (clients: number, used: Usage, region: Region) => string): string[] =>
    usages.flatMap(({ clients, usage: used }) => REGIONS.map((region) => value(clients, used, region)));
  const gigabytes = (used: Usage): number => (used.gigabytesOut ?? 0) / 1e9;
  return `### ${name}

${says} An hour:

${billTable(usages)}

${table(
  ['', ...usages.flatMap(({ title }) => REGIONS.map((region) => `${title}, ${region}`))],
  [
    ['a month', ...byColumn((_, used, region) => dollars(total(used, region) * hours))],
    ['a million delivered messages', ...byColumn((clients, used, region) => dollars((total(used, region) / delivered(clients)) * 1e6))],
    ['delivered in an hour', ...byColumn((clients) => thousands(delivered(clients)))],
    ['GB out in an hour', ...byColumn((_, used) => gigabytes(used).toFixed(2))],
    [
      'the same with a front door: more or less in an hour',
      ...byColumn((_, used, region) => signed(frontDoorDifference(gigabytes(used), region))),
    ],
  ],
)}`;
}

/** Bytes leave through CloudFront, and not through the region: API Gateway's transfer to CloudFront costs nothing. */
const frontDoorDifference = (gigabytes: number, region: Region): number =>
  gigabytes * (FRONT_DOOR.gigabytesOut[region] - priceOf('gigabytesOut', region));
const signed = (amount: number): string => (Math.abs(amount) < 0.005 ? '$0' : `${amount < 0 ? '−' : '+'}${dollars(Math.abs(amount))}`);

/** Quotas of an account and region, as they are before anybody asks for more. */
const QUOTA = { posts: 10_000, connects: 500 } as const;

function scaleTable(all: readonly Workload[]): string {
  return table(
    ['workload', 'clients', 'posts a second', 'of the default quota', 'all connect anew in', 'one broadcast to all takes at least'],
    all.flatMap(({ name, delivered }) =>
      CLIENTS.map((clients) => {
        const perSecond = delivered(clients) / 3600;
        return [
          name,
          thousands(clients),
          thousands(perSecond),
          `${Math.round((perSecond / QUOTA.posts) * 100)} %`,
          `${Math.ceil(clients / QUOTA.connects)} s`,
          name === 'Ticketing' ? '–' : `${(clients * POST_SECONDS).toFixed(1)} s`,
        ];
      }),
    ),
  );
}

/** @param parts what the template has */
export function costPage(parts: Parts, walks: Walks = WALKS): string {
  const all = workloads(walks);
  const idle = idleHour(parts);
  const month: Usage = Object.fromEntries(Object.entries(idle).map(([item, amount]) => [item, amount * MONTH_HOURS]));
  return `# Cost and scale

What a deployment costs, and which limit it meets first. \`npm run cost-doc\` computes this page from the requests that [\`test/functions/budget\`](../test/functions/budget.test.ts) counts, the parts of the template, and list prices of ${PRICES_OF}.

- Prices are second-hand, without free tiers and discounts: check those of [API Gateway](https://aws.amazon.com/api-gateway/pricing/), [DynamoDB](https://aws.amazon.com/dynamodb/pricing/) and [CloudFront](https://aws.amazon.com/cloudfront/pricing/) before you rely on them.
- \\* = a price that was not known for ap-northeast-2 (Seoul): that of us-east-1 stands in.
- Requests are counted; how long functions run is estimated, since nothing here has run on an account. Lambda's part is small enough that twice the time changes little.
- No message shares its frame with another yet, so each delivery is one message of API Gateway, whatever its size up to 32 KB.

## Idle

A deployment that nobody uses, a month. It has ${parts.queues} queues with five pollers each, ${parts.alarms} alarms, ${parts.secrets} secrets, and about ${parts.metrics} metrics that are only paid for in hours with traffic:

${billTable([{ title: 'a month', usage: month }])}

## Workloads

${all.map(workloadSection).join('\n\n')}

## What moves the bill

- **Deliveries.** API Gateway's price for each message is most of every bill. Send fewer: state topics are conflated to 5 a second, filters leave out what a dashboard does not show, and one event may carry 500 quotes.
- **Bytes.** A message of 32 KB costs as much to deliver as one of 1 KB, and up to four times that in transfer. In Seoul a million full frames are about $4 of bytes beside $1.14 of messages.
- **Event streams.** A stream holds a running function: ${dollars(0.009)} an hour for each client. [What an event stream costs](access-patterns.md#what-an-event-stream-costs).
- **The bus.** \`lane: direct\` saves its dollar a million events, and 100 to 400 ms.
- **Heart-beats.** One every four minutes is 15 an hour for each client. \`PING_INTERVAL_SECONDS\` may be up to 540.

## Scale

${scaleTable(all)}

- **Posts** share the account's 10,000 requests a second (2,500 in newer regions) with every API in it: [quotas to raise](operate.md#quotas-to-raise). Above it deliveries are late, in order, and states are conflated further; nothing is lost.
- **Connects**: 500 a second. Clients should come back at a random moment, and do not all at once if they wait for one.
- **One worker** delivers a topic at a time, about ${thousands(1 / POST_SECONDS)} posts a second: audiences of tens of thousands on one topic take seconds. Shards are planned.
- **One topic** takes 1,000 writes a second, since its items lie in one partition.
`;
}
