/** An event's way: tables, rules, and queues with their consumers. */
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { DescribeRuleCommand } from '@aws-sdk/client-eventbridge';
import { ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { queueUrl } from '../stack-target.ts';
import { bad, type Finding, good, note } from './finding.ts';
import { type DeployedStack, ofType, orMissing } from './looked.ts';

/** A table in these states serves. */
const SERVING = ['ACTIVE', 'UPDATING'];

export async function judgeTables(stack: DeployedStack): Promise<Finding[]> {
  const tables = ofType(stack, 'AWS::DynamoDB::GlobalTable');
  const findings: Finding[] = [];
  for (const { id, physicalId } of tables) {
    const found = await orMissing(stack.clients.tables.send(new DescribeTableCommand({ TableName: physicalId })));
    const status = found?.Table?.TableStatus ?? null;
    if (status === null) findings.push(bad('missing table', `${id} (${physicalId}) was deleted: restore it from a backup under its name`));
    else if (!SERVING.includes(status)) findings.push(bad('table', `${id} (${physicalId}) is ${status}`));
  }
  return findings.length > 0 ? findings : [good('tables', `${tables.length}, all active`)];
}

export async function judgeRules(stack: DeployedStack): Promise<Finding[]> {
  const rules = ofType(stack, 'AWS::Events::Rule');
  const findings: Finding[] = [];
  for (const { id, physicalId } of rules) {
    // AWS puts the bus before the name, `bus|rule`
    const Name = physicalId.split('|').at(-1) ?? '';
    const onBus = stack.deployed.Resources?.[id]?.Properties?.['EventBusName'] !== undefined;
    const rule = new DescribeRuleCommand({ Name, ...(onBus && stack.bus !== undefined ? { EventBusName: stack.bus } : {}) });
    const found = await orMissing(stack.clients.events.send(rule));
    const loss = onBus ? 'its events go nowhere' : 'its function is not called';
    if (found === null) findings.push(bad('missing rule', `${id} (${Name}) was deleted: ${loss}`));
    else if (found.State === 'DISABLED')
      findings.push(bad('rule disabled', `${id} (${Name}) is disabled, so ${loss}: aws events enable-rule`));
  }
  return findings.length > 0 ? findings : [good('rules', `${rules.length}, all enabled`)];
}

/** A mapping in these states takes messages, or is about to. */
const TAKING = ['Enabled', 'Enabling', 'Updating', 'Creating'];

export async function judgeQueues(stack: DeployedStack): Promise<Finding[]> {
  const { clients, target } = stack;
  const queues = ofType(stack, 'AWS::SQS::Queue');
  const findings: Finding[] = [];
  for (const queue of queues) {
    const { id } = queue;
    const asked = new GetQueueAttributesCommand({ QueueUrl: queueUrl(queue, target), AttributeNames: ['All'] });
    const { QueueArn, RedrivePolicy, ApproximateNumberOfMessages = '0' } = (await orMissing(clients.queues.send(asked)))?.Attributes ?? {};
    if (QueueArn === undefined) findings.push(bad('missing queue', `${id} was deleted`));
    else if (RedrivePolicy === undefined) {
      if (ApproximateNumberOfMessages !== '0')
        findings.push(note('dead letters', `${ApproximateNumberOfMessages} in ${id}: npm run dead-letters -- show ${id}`));
    } else {
      const { EventSourceMappings = [] } = await clients.lambda.send(new ListEventSourceMappingsCommand({ EventSourceArn: QueueArn }));
      if (!EventSourceMappings.some(({ State = '' }) => TAKING.includes(State)))
        findings.push(
          bad(
            'queue without consumer',
            `no function takes the ${ApproximateNumberOfMessages} messages of ${id}: its event source mapping is missing or disabled`,
          ),
        );
    }
  }
  return findings.some(({ outcome }) => outcome === 'bad')
    ? findings
    : [good('queues', `${queues.length}, each with its consumer`), ...findings];
}
