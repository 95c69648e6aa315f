/** Metrics that functions write into their log, in CloudWatch's embedded metric format. */
import type { MetricStore } from './store.ts';

interface Embedded {
  readonly _aws?: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string }[];
    }[];
  };
  readonly [name: string]: unknown;
}

/** Adds the metrics of a log line; other lines have none. */
export function addEmbedded(line: string, store: MetricStore): void {
  if (!line.includes('"CloudWatchMetrics"')) return;
  const entry = JSON.parse(line) as Embedded;
  const { _aws: aws } = entry;
  if (!aws) return;
  for (const { Namespace, Dimensions, Metrics } of aws.CloudWatchMetrics)
    for (const { Name } of Metrics)
      for (const names of Dimensions) {
        const dimensions = Object.fromEntries(names.map((name) => [name, String(entry[name])]));
        for (const value of [entry[Name]].flat()) store.add(Namespace, Name, dimensions, Number(value), aws.Timestamp);
      }
}
