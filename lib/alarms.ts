import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  AlarmWidget,
  ComparisonOperator,
  Dashboard,
  type DimensionsMap,
  GraphWidget,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { METRIC, SETTING } from '../core/names.ts';
import type { Settings } from '../core/settings.ts';
import { ALARM_KINDS, type AlarmKind, type AlarmName } from './alarm-kinds.ts';

const ID = 'Alarms';
const MINUTE = Duration.minutes(1);

/** The metric that an alarm watches. */
export interface Watched {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions?: DimensionsMap;
}

/** The engine's own metric of a function. */
export const ownMetric = (metricName: string, service: string): Watched => ({
  namespace: METRIC.namespace,
  metricName,
  dimensions: { service },
});

/** The alarms of a stack, each raised by the construct that can fail, and the dashboard that shows them. */
export class Alarms extends Construct {
  private readonly topic: ITopic | null;
  private readonly all: Alarm[] = [];

  constructor(scope: Stack, { settings }: { readonly settings: Settings }) {
    super(scope, ID);
    this.topic = this.topicFor(settings[SETTING.alarmTo] ?? '');
  }

  /** The alarms of the stack in which a construct lies. */
  static of(construct: Construct): Alarms {
    return Stack.of(construct).node.findChild(ID) as Alarms;
  }

  /** Raises an alarm of a kind that the engine has. `what` tells it from others of its kind. */
  raise(name: AlarmName, what: string, watched: Watched): void {
    this.raiseKind(name, what, ALARM_KINDS[name], watched);
  }

  raiseKind(name: string, what: string, kind: AlarmKind, { namespace, metricName, dimensions = {} }: Watched): void {
    const { says, statistic, threshold, minutes, badMinutes, comparison, missing } = kind;
    const id = `${name}${what === '' ? '' : `-${what}`}`;
    const alarm = new Alarm(this, id, {
      alarmName: `${Stack.of(this).stackName}-${id}`,
      alarmDescription: `${says}${what === '' ? '' : `: ${what}`}. What to do: docs/operate.md#${name.toLowerCase()}`,
      metric: new Metric({ namespace, metricName, dimensionsMap: dimensions, statistic, period: MINUTE }),
      threshold,
      evaluationPeriods: minutes,
      datapointsToAlarm: badMinutes,
      comparisonOperator: comparison ?? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: missing ?? TreatMissingData.NOT_BREACHING,
    });
    if (this.topic) {
      alarm.addAlarmAction(new SnsAction(this.topic));
      alarm.addOkAction(new SnsAction(this.topic));
    }
    this.all.push(alarm);
  }

  /** One page: the engine's own figures, then a graph for each alarm with its threshold. */
  dashboard(): void {
    const own = (metric: string, statistic: string, services: readonly string[]) =>
      new GraphWidget({
        title: metric,
        width: 8,
        left: services.map((service) => {
          const { namespace, metricName, dimensions = {} } = ownMetric(metric, service);
          return new Metric({ namespace, metricName, dimensionsMap: dimensions, statistic, period: MINUTE, label: service });
        }),
      });
    new Dashboard(this, 'Dashboard', {
      dashboardName: Stack.of(this).stackName,
      widgets: [
        [
          own(METRIC.liveConnections, 'Maximum', ['sweep']),
          own(METRIC.messagesIn, 'Sum', ['ws-message']),
          own(METRIC.messagesOut, 'Sum', POSTING),
        ],
        [
          own(METRIC.posts, 'Sum', POSTING),
          own(METRIC.answerTime, 'p99', ['ws-message']),
          own(METRIC.errors, 'Sum', [...POSTING, 'rest', 'ws-connect']),
        ],
        this.all.map((alarm) => new AlarmWidget({ alarm, title: alarm.node.id, width: 6, height: 4 })),
      ],
    });
  }

  private topicFor(to: string): ITopic | null {
    if (to === '') return null;
    if (to.startsWith('arn:')) return Topic.fromTopicArn(this, 'Topic', to);
    const topic = new Topic(this, 'Topic', { displayName: 'Push: alarms', enforceSSL: true });
    topic.addSubscription(new EmailSubscription(to));
    return topic;
  }
}

/** Functions that post to connections. */
const POSTING = ['ingest', 'fan-out', 'ws-message'];
