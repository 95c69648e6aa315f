/**
 * List prices in US dollars, without free tiers. They change, and are second-hand, collected on the date below. `null` = not known for that region; the price of us-east-1 stands in, marked.
 */
export const PRICES_OF = '2026-11-24';

export const REGIONS = ['us-east-1', 'ap-northeast-2'] as const;
export type Region = (typeof REGIONS)[number];

export interface Price {
  readonly item: string;
  readonly unit: string;
  /** The number of things in a unit, for which the price is. */
  readonly per: number;
  readonly price: Readonly<Record<'us-east-1', number>> & Readonly<Record<Exclude<Region, 'us-east-1'>, number | null>>;
}

const price = (item: string, unit: string, per: number, usEast: number, seoul: number | null): Price => ({
  item,
  unit,
  per,
  price: { 'us-east-1': usEast, 'ap-northeast-2': seoul },
});

export const PRICES = {
  socketMessages: price('WebSocket messages, up to 32 KB each', 'million', 1e6, 1.0, 1.14),
  connectionMinutes: price('WebSocket connection minutes', 'million', 1e6, 0.25, 0.285),
  httpRequests: price('HTTP API requests', 'million', 1e6, 1.0, 1.23),
  lambdaGbSeconds: price('Lambda, arm64', 'GB-second', 1, 0.0000133334, 0.0000133334),
  lambdaRequests: price('Lambda requests', 'million', 1e6, 0.2, 0.2),
  queueRequests: price('SQS requests', 'million', 1e6, 0.4, null),
  busEvents: price('EventBridge events, up to 64 KB each', 'million', 1e6, 1.0, null),
  writeUnits: price('DynamoDB writes of 1 KB', 'million', 1e6, 0.625, 0.68),
  readUnits: price('DynamoDB reads of 4 KB', 'million', 1e6, 0.125, 0.1355),
  bytesOut: price('Bytes out, to the internet', 'GB', 1e9, 0.09, 0.126),
  logBytes: price('Logs taken in', 'GB', 1e9, 0.5, 0.76),
  metrics: price('Custom metrics', 'metric and month', 1, 0.3, 0.3),
  alarms: price('Alarms', 'alarm and month', 1, 0.1, null),
  dashboards: price('Dashboards', 'dashboard and month', 1, 3.0, null),
  secrets: price('Secrets', 'secret and month', 1, 0.4, null),
} as const;

export type Item = keyof typeof PRICES;

/** A GB of bytes out through CloudFront, which stands in for those to the internet if there is a front door. */
export const FRONT_DOOR_GB = { 'us-east-1': 0.085, 'ap-northeast-2': 0.12 } as const;
