/** What can go wrong with a deployment, and when somebody must be told. `docs/operate.md` has a section for each. */
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { SystemAlarm } from '../core/channels/system.ts';

/** As a system's own, with more ways to judge a minute. */
export interface AlarmKind extends Omit<SystemAlarm, 'metric'> {
  /** @default the alarm is raised at the threshold and above */
  readonly comparison?: ComparisonOperator;
  /** @default a minute without a value is a good one */
  readonly missing?: TreatMissingData;
}

export const ALARM_KINDS = {
  DeadLetters: { says: 'work was given up', statistic: 'Maximum', threshold: 1, minutes: 1, badMinutes: 1 },
  OldestMessage: { says: 'a queue is not worked off in time', statistic: 'Maximum', threshold: 120, minutes: 3, badMinutes: 3 },
  // SQS refuses to hand out more than 120,000
  InFlight: { says: 'a queue nears its limit of messages in work', statistic: 'Maximum', threshold: 100_000, minutes: 1, badMinutes: 1 },
  FunctionErrors: { says: 'a function fails again and again', statistic: 'Sum', threshold: 1, minutes: 5, badMinutes: 3 },
  Throttles: { says: 'the account has no room for more executions', statistic: 'Sum', threshold: 1, minutes: 5, badMinutes: 2 },
  ApiErrors: { says: 'the HTTP API answers 5xx', statistic: 'Sum', threshold: 5, minutes: 5, badMinutes: 2 },
  SocketErrors: { says: 'the WebSocket API cannot reach its functions', statistic: 'Sum', threshold: 5, minutes: 5, badMinutes: 2 },
  RefusedConnects: { says: 'many clients are refused', statistic: 'Sum', threshold: 100, minutes: 5, badMinutes: 3 },
  Undelivered: { says: 'the bus cannot deliver events', statistic: 'Sum', threshold: 1, minutes: 1, badMinutes: 1 },
  ThrottledTable: { says: 'a table throttles writes', statistic: 'Sum', threshold: 1, minutes: 5, badMinutes: 2 },
  NotRunning: {
    says: 'the minute run does not happen',
    statistic: 'Sum',
    threshold: 1,
    minutes: 5,
    badMinutes: 5,
    comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
    missing: TreatMissingData.BREACHING,
  },
} as const satisfies Record<string, AlarmKind>;

export type AlarmName = keyof typeof ALARM_KINDS;
