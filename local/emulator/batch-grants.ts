/** Grants what an emulator asks for and AWS does not: there, who may send a message may send ten at once. */
import { IAMClient, PutRolePolicyCommand, paginateListRoles } from '@aws-sdk/client-iam';
import { clientOptions, type Target } from './target.ts';

/** Lets the stack's roles send messages in batches. The queues' names in their other policies still decide who may send at all. */
export async function grantBatches(stack: string, target: Target): Promise<void> {
  const client = new IAMClient(clientOptions(target));
  const PolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'sqs:SendMessageBatch', Resource: '*' }],
  });
  try {
    for await (const { Roles = [] } of paginateListRoles({ client }, {}))
      for (const { RoleName = '' } of Roles)
        if (RoleName.startsWith(`${stack}-`))
          await client.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'SendMessageBatch', PolicyDocument }));
  } finally {
    client.destroy();
  }
}
