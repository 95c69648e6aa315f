import { ConditionalCheckFailedException, DynamoDBClient, ProvisionedThroughputExceededException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Item } from '../../../../functions/adapters/dynamo/item.ts';
import { type Change, computed, dynamoTable } from '../../../../functions/adapters/dynamo/table.ts';

const documents = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const dynamo = mockClient(documents);
const table = dynamoTable('table', documents);
const KEY = { id: 'k' };
beforeEach(() => {
  dynamo.reset();
});
/** The input of the only request. */
const input = (): unknown => {
  const inputs = dynamo.calls().map(({ args: [command] }) => command.input);
  expect(inputs).toHaveLength(1);
  return inputs[0];
};
const refusal = (Item?: Record<string, { S: string }>, attempts = 1) =>
  new ConditionalCheckFailedException({ message: 'refused', $metadata: { attempts }, ...(Item ? { Item } : {}) });
async function pagesOf(pages: AsyncIterable<Item[]>): Promise<Item[][]> {
  const all: Item[][] = [];
  for await (const page of pages) all.push(page);
  return all;
}

describe('an item', () => {
  test('is read strongly consistent', async () => {
    dynamo.on(GetCommand).resolves({ Item: { a: 1 } });

    expect(await table.get(KEY)).toEqual({ a: 1 });
    expect(input()).toEqual({ TableName: 'table', Key: KEY, ConsistentRead: true });
  });

  test('is read eventually consistent if that is asked for', async () => {
    dynamo.on(GetCommand).resolves({ Item: { a: 1 } });
    await table.get(KEY, { consistent: false });

    expect(input()).toMatchObject({ ConsistentRead: false });
  });

  test('that is not there is null', async () => {
    dynamo.on(GetCommand).resolves({});

    expect(await table.get(KEY)).toBeNull();
  });
});

describe('an update', () => {
  const updated = async (change: Change): Promise<unknown> => {
    dynamo.on(UpdateCommand).resolves({});
    await table.update(KEY, change);
    return input();
  };

  test.each<[string, Change, object]>([
    [
      'sets values',
      { set: { a: 1, b: 'x' } },
      {
        UpdateExpression: 'SET #a = :a, #b = :b',
        ExpressionAttributeNames: { '#a': 'a', '#b': 'b' },
        ExpressionAttributeValues: { ':a': 1, ':b': 'x' },
      },
    ],
    [
      'sets what the database computes',
      { set: { a: computed('if_not_exists(#a, :zero) + :one') }, values: { zero: 0, one: 1 } },
      {
        UpdateExpression: 'SET #a = if_not_exists(#a, :zero) + :one',
        ExpressionAttributeNames: { '#a': 'a' },
        ExpressionAttributeValues: { ':zero': 0, ':one': 1 },
      },
    ],
    [
      'sets no value that is undefined',
      { set: { a: 1, b: undefined } },
      { UpdateExpression: 'SET #a = :a', ExpressionAttributeNames: { '#a': 'a' }, ExpressionAttributeValues: { ':a': 1 } },
    ],
    [
      'adds to numbers and sets',
      { add: { count: -1, members: new Set(['m']) } },
      {
        UpdateExpression: 'ADD #count :count, #members :members',
        ExpressionAttributeNames: { '#count': 'count', '#members': 'members' },
        ExpressionAttributeValues: { ':count': -1, ':members': new Set(['m']) },
      },
    ],
    [
      'takes members out of sets',
      { takeOut: { members: new Set(['m']) } },
      {
        UpdateExpression: 'DELETE #members :members',
        ExpressionAttributeNames: { '#members': 'members' },
        ExpressionAttributeValues: { ':members': new Set(['m']) },
      },
    ],
    [
      'removes attributes, and then sends no values',
      { remove: ['a', 'b'] },
      { UpdateExpression: 'REMOVE #a, #b', ExpressionAttributeNames: { '#a': 'a', '#b': 'b' } },
    ],
    [
      'does all of it at once, on a condition with names and values of its own',
      {
        set: { a: 1 },
        add: { n: 2 },
        remove: ['r'],
        when: '#a < :least AND #alias = :a',
        names: { alias: 'a.long-name' },
        values: { least: 3 },
        returns: 'ALL_NEW',
      },
      {
        UpdateExpression: 'SET #a = :a, #w = :w ADD #n :n REMOVE #r',
        ConditionExpression: '(#a < :least AND #alias = :a) AND (attribute_not_exists(#w) OR #w <> :w)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        ExpressionAttributeNames: { '#a': 'a', '#n': 'n', '#r': 'r', '#alias': 'a.long-name', '#w': 'w' },
        ExpressionAttributeValues: { ':a': 1, ':n': 2, ':least': 3, ':w': expect.any(String) },
        ReturnValues: 'ALL_NEW',
      },
    ],
  ])('%s', async (_, change, expected) => {
    expect(await updated(change)).toEqual({ TableName: 'table', Key: KEY, ...expected });
  });

  test('takes a value that looks like an expression for a value', async () => {
    const hostile = { expression: '#admin = :true', 'Symbol(expression)': 'x' };

    expect(await updated({ set: { a: hostile } })).toMatchObject({
      UpdateExpression: 'SET #a = :a',
      ExpressionAttributeValues: { ':a': hostile },
    });
  });
});

describe('a put and a delete', () => {
  test('without condition send nothing but the item and the key', async () => {
    dynamo.on(PutCommand).resolves({});
    await table.put({ ...KEY, a: 1 });
    expect(input()).toEqual({ TableName: 'table', Item: { ...KEY, a: 1 } });
    dynamo.reset();
    dynamo.on(DeleteCommand).resolves({});
    await table.delete(KEY);

    expect(input()).toEqual({ TableName: 'table', Key: KEY });
  });

  test('send their condition, with its placeholders', async () => {
    const condition = { when: 'attribute_not_exists(#a) OR #a <= :now', values: { now: 7 }, returns: 'ALL_OLD' } as const;
    const expected = {
      ConditionExpression: 'attribute_not_exists(#a) OR #a <= :now',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      ExpressionAttributeNames: { '#a': 'a' },
      ExpressionAttributeValues: { ':now': 7 },
      ReturnValues: 'ALL_OLD',
    };

    dynamo.on(PutCommand).resolves({});
    await table.put(KEY, condition);
    expect(input()).toEqual({ TableName: 'table', Item: { ...KEY, w: expect.any(String) }, ...expected });
    dynamo.reset();
    dynamo.on(DeleteCommand).resolves({});
    await table.delete(KEY, condition);

    expect(input()).toEqual({ TableName: 'table', Key: KEY, ...expected });
  });
});

describe('a write', () => {
  const writes = [
    ['put', () => table.put(KEY, { when: 'attribute_not_exists(#id)' })],
    ['update', () => table.update(KEY, { set: { a: 1 }, when: 'attribute_exists(#id)' })],
    ['delete', () => table.delete(KEY, { when: 'attribute_exists(#id)' })],
  ] as const;

  test.each(writes)('%s that holds returns the item, or an empty one', async (_, write) => {
    dynamo
      .onAnyCommand()
      .resolvesOnce({ Attributes: { a: 1 } })
      .resolvesOnce({});

    expect(await write()).toEqual({ held: true, item: { a: 1 }, repeated: false });
    expect(await write()).toEqual({ held: true, item: {}, repeated: false });
  });

  test.each(writes)('%s whose condition does not hold is an outcome, with what stands there', async (_, write) => {
    dynamo.onAnyCommand().rejects(refusal({ id: { S: 'k' }, owner: { S: 'another' } }));

    expect(await write()).toEqual({ held: false, item: { id: 'k', owner: 'another' } });
  });

  test.each(writes)('%s whose condition does not hold has no item if the database does not say it', async (_, write) => {
    dynamo.onAnyCommand().rejects(refusal());

    expect(await write()).toEqual({ held: false, item: null });
  });

  test.each(['put', 'update'] as const)('%s that a retry finds made is made, though its first answer was lost', async (kind) => {
    let id = '';
    dynamo.onAnyCommand().callsFake(({ Item, ExpressionAttributeValues }) => {
      id = Item?.w ?? ExpressionAttributeValues[':w'];
      throw refusal({ id: { S: 'k' }, w: { S: id } }, 2);
    });

    const made =
      kind === 'put' ? table.put(KEY, { when: 'attribute_not_exists(#id)' }) : table.update(KEY, { set: { a: 1 }, when: '#a = :a' });
    expect(await made).toEqual({ held: true, item: { id: 'k', w: id }, repeated: true });
  });

  test('delete that a retry finds made is made', async () => {
    dynamo.on(DeleteCommand).rejects(refusal(undefined, 2));
    dynamo.on(GetCommand).resolves({});

    expect(await table.delete(KEY, { when: 'attribute_exists(#id)' })).toEqual({ held: true, item: {}, repeated: true });
  });

  test.each(writes)('%s that was refused after a retry by what somebody else wrote is refused', async (_, write) => {
    dynamo.onAnyCommand().rejects(refusal({ id: { S: 'k' }, w: { S: 'another' } }, 2));

    expect(await write()).toEqual({ held: false, item: { id: 'k', w: 'another' } });
  });

  test.each(writes)('%s that fails otherwise is thrown', async (_, write) => {
    dynamo.onAnyCommand().rejects(new ProvisionedThroughputExceededException({ message: 'too fast', $metadata: {} }));

    await expect(write()).rejects.toThrow('too fast');
  });
});

describe('many items', () => {
  afterEach(() => {
    vi.useRealTimers();
  });
  const keys = (count: number): Item[] => Array.from({ length: count }, (_, index) => ({ id: `k${index}` }));
  const asked = (): Item[][] =>
    dynamo.commandCalls(BatchGetCommand).map(({ args: [{ input: request }] }) => request.RequestItems?.['table']?.Keys ?? []);

  test('are read strongly consistent, a hundred keys a request, and missing ones are left out', async () => {
    dynamo.on(BatchGetCommand).callsFake(({ RequestItems }: { RequestItems: Record<string, { Keys: Item[] }> }) => ({
      Responses: { table: RequestItems['table']?.Keys.filter(({ id }) => id !== 'k7') },
    }));

    const found = await table.getMany(keys(250));

    expect(found).toHaveLength(249);
    expect(asked().map(({ length }) => length)).toEqual([100, 100, 50]);
    expect(
      dynamo.commandCalls(BatchGetCommand).map(({ args: [command] }) => command.input.RequestItems?.['table']?.ConsistentRead),
    ).toEqual([true, true, true]);
  });

  test('of which there are none cost nothing', async () => {
    expect(await table.getMany([])).toEqual([]);

    expect(dynamo.calls()).toEqual([]);
  });

  test('that the database left out are asked for again, and only those, after a pause that grows', async () => {
    vi.useFakeTimers();
    const left = (...ids: string[]) => ({ UnprocessedKeys: { table: { Keys: ids.map((id) => ({ id })) } } });
    dynamo
      .on(BatchGetCommand)
      .resolvesOnce({ Responses: { table: [{ id: 'k0' }] }, ...left('k1', 'k2') })
      .resolvesOnce(left('k1', 'k2'))
      .resolvesOnce({ Responses: { table: [{ id: 'k2' }, { id: 'k1' }] }, UnprocessedKeys: {} });
    const reading = table.getMany(keys(3));

    await vi.advanceTimersByTimeAsync(49);
    expect(asked()).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked()).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(99);
    expect(asked()).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);

    expect(await reading).toEqual([{ id: 'k0' }, { id: 'k2' }, { id: 'k1' }]);
    expect(asked().slice(1)).toEqual(Array(2).fill([{ id: 'k1' }, { id: 'k2' }]));
  });

  test('are asked for again at least once a second', async () => {
    vi.useFakeTimers();
    dynamo.on(BatchGetCommand).resolves({ UnprocessedKeys: { table: { Keys: keys(1) } } });
    void table.getMany(keys(1));
    // 50 + 100 + 200 + 400 + 800 ms, then each second
    await vi.advanceTimersByTimeAsync(1_550);
    const before = asked().length;

    await vi.advanceTimersByTimeAsync(3_000);

    expect(asked().length - before).toBe(3);
    dynamo.on(BatchGetCommand).resolves({});
    await vi.advanceTimersByTimeAsync(1_000);
  });
});

describe('many new items', () => {
  const put = () =>
    dynamo
      .commandCalls(BatchWriteCommand)
      .map(({ args: [{ input: request }] }) =>
        (request.RequestItems?.['table'] ?? []).map(({ PutRequest }) => PutRequest?.Item?.['id'] as string),
      );
  const items = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `k${index}` }));

  test('are put 25 a request', async () => {
    dynamo.on(BatchWriteCommand).resolves({});

    await table.putMany(items(60));

    expect(put().map(({ length }) => length)).toEqual([25, 25, 10]);
    expect(put().flat()).toEqual(items(60).map(({ id }) => id));
  });

  test('that the database did not take are put again, and only those, after a pause', async () => {
    vi.useFakeTimers();
    dynamo
      .on(BatchWriteCommand)
      .resolvesOnce({ UnprocessedItems: { table: [{ PutRequest: { Item: { id: 'k1' } } }] } })
      .resolvesOnce({});
    const putting = table.putMany(items(3));

    await vi.advanceTimersByTimeAsync(50);
    await putting;

    expect(put()).toEqual([['k0', 'k1', 'k2'], ['k1']]);
  });
});

describe('a range', () => {
  test('is read page by page, until there is none', async () => {
    dynamo
      .on(QueryCommand)
      .resolvesOnce({ Items: [{ a: 1 }], LastEvaluatedKey: { id: 'a' } })
      .resolvesOnce({ LastEvaluatedKey: { id: 'b' } })
      .resolvesOnce({ Items: [{ a: 2 }] });

    expect(await pagesOf(table.query({ where: '#id = :id', values: { id: 'k' } }))).toEqual([[{ a: 1 }], [], [{ a: 2 }]]);

    expect(dynamo.commandCalls(QueryCommand).map(({ args: [command] }) => command.input.ExclusiveStartKey)).toEqual([
      undefined,
      { id: 'a' },
      { id: 'b' },
    ]);
  });

  test('is read as consistent and in pages as large as asked for', async () => {
    dynamo.on(QueryCommand).resolves({});
    await pagesOf(
      table.query({ where: '#id = :id AND begins_with(#item, :prefix)', values: { id: 'k', prefix: 'p' }, consistent: true, page: 7 }),
    );

    expect(input()).toEqual({
      TableName: 'table',
      KeyConditionExpression: '#id = :id AND begins_with(#item, :prefix)',
      ExpressionAttributeNames: { '#id': 'id', '#item': 'item' },
      ExpressionAttributeValues: { ':id': 'k', ':prefix': 'p' },
      ConsistentRead: true,
      ExclusiveStartKey: undefined,
      Limit: 7,
    });
  });

  test('is eventually consistent unless asked otherwise', async () => {
    dynamo.on(QueryCommand).resolves({});
    await pagesOf(table.query({ where: '#id = :id', values: { id: 'k' } }));

    expect(input()).toMatchObject({ ConsistentRead: false });
  });

  test('is not read further than its reader goes', async () => {
    dynamo.on(QueryCommand).resolves({ Items: [{ a: 1 }], LastEvaluatedKey: { id: 'a' } });
    for await (const _ of table.query({ where: '#id = :id', values: { id: 'k' } })) break;

    expect(dynamo.calls()).toHaveLength(1);
  });
});

test('a scan reads its segment page by page', async () => {
  dynamo
    .on(ScanCommand)
    .resolvesOnce({ Items: [{ a: 1 }], LastEvaluatedKey: { id: 'a' } })
    .resolvesOnce({ Items: [{ a: 2 }] });

  expect(await pagesOf(table.scan(2, 4))).toEqual([[{ a: 1 }], [{ a: 2 }]]);

  expect(dynamo.commandCalls(ScanCommand).map(({ args: [command] }) => command.input)).toEqual([
    { TableName: 'table', Segment: 2, TotalSegments: 4, ExclusiveStartKey: undefined },
    { TableName: 'table', Segment: 2, TotalSegments: 4, ExclusiveStartKey: { id: 'a' } },
  ]);
});
