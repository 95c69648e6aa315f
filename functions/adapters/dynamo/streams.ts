import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Streams } from '../../../core/ports.ts';
import { documents, number, ttl } from './client.ts';
import { streamsKey } from './keys.ts';

export interface StreamsOptions {
  readonly table: string;
  /** No stream lasts longer than this. */
  readonly lifeMs: number;
  readonly client?: ReturnType<typeof documents>;
}

/**
 * Counts the open streams by the stretch of time they began in; a stretch is as long as a stream may last, so that
 * this one and the one before hold them all. What a killed function left uncounted is forgotten with its stretch.
 */
export function dynamoStreams({ table, lifeMs, client = documents() }: StreamsOptions): Streams {
  const stretchOf = (atMs: number): number => Math.floor(atMs / lifeMs);
  const add = async (stretch: number, by: number): Promise<number> => {
    const { Attributes = {} } = await client.send(
      new UpdateCommand({
        TableName: table,
        Key: streamsKey(stretch),
        UpdateExpression: 'SET #expiresAt = :expiresAt ADD #open :by',
        ExpressionAttributeNames: { '#open': 'open', '#expiresAt': 'expiresAt' },
        ExpressionAttributeValues: { ':by': by, ':expiresAt': ttl((stretch + 3) * lifeMs) },
        ReturnValues: 'ALL_NEW',
      }),
    );
    return number(Attributes, 'open');
  };
  return {
    async enter(atMs) {
      const [now, { Item = {} }] = await Promise.all([
        add(stretchOf(atMs), 1),
        client.send(new GetCommand({ TableName: table, Key: streamsKey(stretchOf(atMs) - 1) })),
      ]);
      return now + number(Item, 'open');
    },
    async leave(enteredAtMs) {
      await add(stretchOf(enteredAtMs), -1);
    },
  };
}
