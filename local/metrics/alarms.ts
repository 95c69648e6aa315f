/** `AWS::CloudWatch::Alarm`: looked at once a minute, on the run's clock. */
import type { Resolve, Template } from '../base/template.ts';
import { type Dimensions, type MetricStore, MINUTE_MS, type Point } from './store.ts';

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

export interface LocalAlarm {
  readonly name: string;
  readonly description: string;
  readonly state: AlarmState;
  /** When it came into this state, in ms since 1970. */
  readonly sinceMs: number;
}

export interface LocalAlarms {
  /** Looks at the minutes before this one. Returns the alarms that have changed. */
  evaluate(nowMs: number): readonly LocalAlarm[];
  all(): readonly LocalAlarm[];
}

interface Properties {
  readonly AlarmName: string;
  readonly AlarmDescription?: string;
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: string }[];
  readonly Statistic: 'Sum' | 'Maximum';
  readonly Period: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm?: number;
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly TreatMissingData?: string;
}

const VALUE: Readonly<Record<string, (point: Point) => number>> = { Sum: ({ sum }) => sum, Maximum: ({ maximum }) => maximum };
const BAD: Readonly<Record<string, (value: number, threshold: number) => boolean>> = {
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
};

export function localAlarms(template: Template, resolve: Resolve, store: MetricStore): LocalAlarms {
  const alarms = template.ofType('AWS::CloudWatch::Alarm').map(({ properties }) => {
    const watched = resolve<Properties>(properties);
    const { Statistic, ComparisonOperator, Period, AlarmName: name, AlarmDescription: description = '' } = watched;
    if (!Object.hasOwn(VALUE, Statistic) || !Object.hasOwn(BAD, ComparisonOperator) || Period * 1000 !== MINUTE_MS)
      throw new Error(`the local run cannot evaluate ${name}: add what it uses to local/metrics/alarms.ts`);
    const current: LocalAlarm = { name, description, state: 'INSUFFICIENT_DATA', sinceMs: 0 };
    return { watched, current };
  });
  return {
    all: () => alarms.map(({ current }) => current),
    evaluate(nowMs) {
      const changed: LocalAlarm[] = [];
      for (const alarm of alarms) {
        const state = stateOf(alarm.watched, store, nowMs);
        if (state === alarm.current.state) continue;
        alarm.current = { ...alarm.current, state, sinceMs: nowMs };
        changed.push(alarm.current);
      }
      return changed;
    },
  };
}

/** The state by the whole minutes before this one. */
function stateOf(watched: Properties, store: MetricStore, nowMs: number): AlarmState {
  const { Namespace, MetricName, Dimensions: named = [], EvaluationPeriods, DatapointsToAlarm = EvaluationPeriods } = watched;
  const dimensions: Dimensions = Object.fromEntries(named.map(({ Name, Value }) => [Name, Value]));
  const points = store.find(Namespace, MetricName, dimensions)?.points ?? [];
  const thisMinute = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
  let bad = 0;
  for (let back = 1; back <= EvaluationPeriods; back++) {
    const point = points.find(({ atMs }) => atMs === thisMinute - back * MINUTE_MS);
    if (
      point
        ? BAD[watched.ComparisonOperator]?.(VALUE[watched.Statistic]?.(point) ?? 0, watched.Threshold)
        : watched.TreatMissingData === 'breaching'
    )
      bad++;
  }
  return bad >= DatapointsToAlarm ? 'ALARM' : 'OK';
}
