/** The stages of a deployment, and their differences. */
import { RemovalPolicy } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';

/** `local`: this machine, and emulators. */
export const STAGES = ['local', 'dev', 'prod'] as const;
export type Stage = (typeof STAGES)[number];

export interface StageProps {
  /**
   * Of what holds data. A stack that is deleted, or fails to be made, leaves nothing behind, unless it is `prod`: there, data
   * outlives its stack once that stood.
   */
  readonly removalPolicy: RemovalPolicy;
  /** Whether tables with data can be set back to any second of the last 35 days. */
  readonly pointInTimeRecovery: boolean;
  readonly logRetention: RetentionDays;
  /** Whether CloudFront's access logs are kept: emulators have none. */
  readonly edgeLogs: boolean;
}

/** Of data that nobody misses. */
export const PASSING = { removalPolicy: RemovalPolicy.DESTROY, pointInTimeRecovery: false } as const;

export const STAGE_PROPS: Readonly<Record<Stage, StageProps>> = {
  local: { ...PASSING, logRetention: RetentionDays.ONE_DAY, edgeLogs: false },
  dev: { ...PASSING, logRetention: RetentionDays.TWO_WEEKS, edgeLogs: true },
  prod: {
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    pointInTimeRecovery: true,
    logRetention: RetentionDays.THREE_MONTHS,
    edgeLogs: true,
  },
};

/** A name for each stage, so that several fit into one account. */
export const stackName = (stage: Stage): string => `RealtimePush-${stage}`;
