import { AttributeType, Billing, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { ENV } from '../core/names.ts';
import { Alarms } from './alarms.ts';
import { PASSING, type StageProps } from './stage.ts';

export type TableName = 'connections' | 'subscriptions' | 'topics' | 'settings';

/** DynamoDB actions that an access pattern needs. */
export type Access = 'GetItem' | 'BatchGetItem' | 'Query' | 'Scan' | 'PutItem' | 'BatchWriteItem' | 'UpdateItem' | 'DeleteItem';

const VARIABLE: Readonly<Record<TableName, string>> = {
  connections: ENV.connectionsTable,
  subscriptions: ENV.subscriptionsTable,
  topics: ENV.topicsTable,
  settings: ENV.settingsTable,
};

/** The tables: on demand, with time to live on `expiresAt`. */
export class Storage extends Construct {
  private readonly tables: Readonly<Record<TableName, TableV2>>;

  constructor(scope: Construct, id: string, { stage }: { readonly stage: StageProps }) {
    super(scope, id);
    this.tables = {
      // connections end with their API, and their subscriptions with them
      connections: this.table('Connections', 'connectionId', 'item', PASSING),
      subscriptions: this.table('Subscriptions', 'audience', 'member', PASSING),
      topics: this.table('Topics', 'topic', 'item', stage),
      settings: this.table('Settings', 'kind', 'id', stage),
    };
  }

  /** Gives a function a table's name, and just the actions that it uses there. */
  grant(fn: LambdaFunction, name: TableName, ...access: readonly Access[]): void {
    fn.addEnvironment(VARIABLE[name], this.tables[name].tableName);
    this.tables[name].grant(fn, ...access.map((action) => `dynamodb:${action}`));
  }

  private table(
    id: string,
    partition: string,
    sort: string,
    { removalPolicy, pointInTimeRecovery }: Pick<StageProps, 'removalPolicy' | 'pointInTimeRecovery'>,
  ): TableV2 {
    const made = new TableV2(this, id, {
      partitionKey: { name: partition, type: AttributeType.STRING },
      sortKey: { name: sort, type: AttributeType.STRING },
      billing: Billing.onDemand(),
      timeToLiveAttribute: 'expiresAt',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: pointInTimeRecovery },
      removalPolicy,
    });
    const dimensions = { TableName: made.tableName };
    Alarms.of(this).raise('ThrottledTable', id, { namespace: 'AWS/DynamoDB', metricName: 'WriteThrottleEvents', dimensions });
    return made;
  }
}
