/**
 * One DynamoDB table: the only place that builds expressions. In conditions and computed values an attribute is `#name`
 * and a value `:name`; placeholders are made of them here. A condition that does not hold is an outcome, not an exception.
 *
 * A conditional write may be applied and its answer be lost. The client's retry is then refused by what the write itself
 * changed, so each carries an id of its own: a refusal by an item with the same id is a success.
 */
import { randomBytes } from 'node:crypto';
import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
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
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { bounded, chunksOf } from '../../../core/base/concurrency.ts';
import { inEnvironmentTime } from '../clock.ts';
import type { Item } from './item.ts';

/** DynamoDB's limits for one BatchGetItem and one BatchWriteItem. */
const MAX_KEYS = 100;
const MAX_PUTS = 25;
const BATCHES_AT_ONCE = 8;

/** Pauses before throttled keys or items are sent again, in ms: each is twice the one before. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** Marks an expression: no value that comes from outside can look like one. */
const EXPRESSION = Symbol('expression');

/** A value that the database computes from the item. */
export interface Computed {
  readonly [EXPRESSION]: string;
}
export const computed = (expression: string): Computed => ({ [EXPRESSION]: expression });
const isComputed = (value: unknown): value is Computed => typeof value === 'object' && value !== null && EXPRESSION in value;

export interface Condition {
  /** The write is made only if this holds. */
  readonly when?: string | undefined;
  readonly values?: Item;
  /** Attributes whose names differ from the names used here. */
  readonly names?: Readonly<Record<string, string>>;
  /** The item that the write returns. @default none */
  readonly returns?: 'ALL_OLD' | 'ALL_NEW' | 'UPDATED_NEW';
}

export interface Change extends Condition {
  readonly set?: Readonly<Record<string, unknown>>;
  /** Numbers to add, or members of sets. */
  readonly add?: Readonly<Record<string, number | Set<string>>>;
  /** Members to take out of sets. */
  readonly takeOut?: Readonly<Record<string, Set<string>>>;
  readonly remove?: readonly string[];
}

/**
 * `held`: the write was made. `item`: what it returned; if not held, what stood there, as far as the database says so.
 * `repeated`: it was made by a try whose answer was lost. `item` is then what stands there now, whatever `returns` asked for.
 */
export type Written =
  | { readonly held: true; readonly item: Item; readonly repeated: boolean }
  | { readonly held: false; readonly item: Item | null };

export interface Range {
  /** Condition on the key. */
  readonly where: string;
  readonly values: Item;
  readonly consistent?: boolean;
  /** Items read at once. @default as many as fit into 1 MB */
  readonly page?: number;
}

export interface Table {
  /** Strongly consistent unless told otherwise; `null` if there is no such item. */
  get(key: Item, options?: { readonly consistent: boolean }): Promise<Item | null>;
  /** Strongly consistent unless told otherwise, 100 keys a request; missing items are left out. */
  getMany(keys: readonly Item[], options?: { readonly consistent: boolean }): Promise<Item[]>;
  /** 25 items a request. */
  putMany(items: readonly Item[]): Promise<void>;
  put(item: Item, condition?: Condition): Promise<Written>;
  update(key: Item, change: Change): Promise<Written>;
  delete(key: Item, condition?: Condition): Promise<Written>;
  /** Pages of items in the order of their sort key. */
  query(range: Range): AsyncGenerator<Item[], void>;
  scan(segment: number, segments: number): AsyncGenerator<Item[], void>;
}

let shared: DynamoDBDocumentClient | undefined;

/** Made once a process; AWS_ENDPOINT_URL_DYNAMODB points it elsewhere. */
function documents(): DynamoDBDocumentClient {
  shared ??= DynamoDBDocumentClient.from(inEnvironmentTime(new DynamoDBClient({})), { marshallOptions: { removeUndefinedValues: true } });
  return shared;
}

export function dynamoTable(TableName: string, client = documents()): Table {
  const get: Table['get'] = async (Key, { consistent } = { consistent: true }) => {
    const { Item } = await client.send(new GetCommand({ TableName, Key, ConsistentRead: consistent }));
    return Item ?? null;
  };
  /**
   * Says what became of a write. A refusal after a retry may come of an earlier try that was made, and whose answer was lost:
   * `isOurs` tells by what stands there.
   */
  const settle = async (made: Made, isOurs: (there: Item | null) => boolean, keyOf: () => Item): Promise<Written> => {
    if (made.held) return { held: true, item: made.item, repeated: false };
    if (made.tries === 1) return { held: false, item: made.item };
    // not every database returns the item with the refusal
    const there = made.item ?? (await get(keyOf()));
    return isOurs(there) ? { held: true, item: there ?? {}, repeated: true } : { held: false, item: there };
  };
  return {
    get,
    async getMany(keys, { consistent } = { consistent: true }) {
      const found: Item[] = [];
      await inBatches(keys, MAX_KEYS, async (wanted) => {
        const { Responses, UnprocessedKeys } = await client.send(
          new BatchGetCommand({ RequestItems: { [TableName]: { Keys: wanted, ConsistentRead: consistent } } }),
        );
        found.push(...(Responses?.[TableName] ?? []));
        return UnprocessedKeys?.[TableName]?.Keys ?? [];
      });
      return found;
    },
    putMany: (items) =>
      inBatches(items, MAX_PUTS, async (wanted) => {
        const { UnprocessedItems } = await client.send(
          new BatchWriteCommand({ RequestItems: { [TableName]: wanted.map((Item) => ({ PutRequest: { Item } })) } }),
        );
        return (UnprocessedItems?.[TableName] ?? []).flatMap(({ PutRequest }) => PutRequest?.Item ?? []);
      }),
    async put(item, condition = {}) {
      const id = newWriteId();
      const Item = condition.when === undefined ? item : { ...item, [WRITE_ID]: id };
      const made = await outcome(() => client.send(new PutCommand({ TableName, Item, ...conditionOf(condition) })));
      return settle(
        made,
        (there) => there?.[WRITE_ID] === id,
        () => keyOf(item),
      );
    },
    async delete(Key, condition = {}) {
      const made = await outcome(() => client.send(new DeleteCommand({ TableName, Key, ...conditionOf(condition) })));
      // gone, by an earlier try or by anybody's, is what was wanted
      return settle(
        made,
        (there) => there === null,
        () => Key,
      );
    },
    async update(Key, change) {
      const id = newWriteId();
      const { when, set } = change;
      // a retry of what was applied must be refused, or it would count once more
      const marked = when === undefined ? change : { ...change, set: { ...set, [WRITE_ID]: id }, when: `(${when}) AND ${NOT_YET_WRITTEN}` };
      const made = await outcome(() => client.send(new UpdateCommand({ TableName, Key, ...expressionsOf(marked) })));
      return settle(
        made,
        (there) => there?.[WRITE_ID] === id,
        () => Key,
      );
    },
    query: ({ where, values, consistent = false, page }) =>
      pages((ExclusiveStartKey) =>
        client.send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: where,
            ExpressionAttributeNames: namesIn([where], {}),
            ExpressionAttributeValues: prefixed(values),
            ConsistentRead: consistent,
            ExclusiveStartKey,
            Limit: page,
          }),
        ),
      ),
    scan: (Segment, TotalSegments) =>
      pages((ExclusiveStartKey) => client.send(new ScanCommand({ TableName, Segment, TotalSegments, ExclusiveStartKey }))),
  };
}

/** Sends items in batches; those that a call returns, since the table was throttled, are sent again after a pause. */
async function inBatches(items: readonly Item[], size: number, send: (batch: Item[]) => Promise<Item[]>): Promise<void> {
  await bounded(chunksOf(items, size), BATCHES_AT_ONCE, async (chunk) => {
    let wanted: Item[] = [...chunk];
    for (let pauseMs = FIRST_PAUSE_MS; wanted.length > 0; pauseMs *= 2) {
      wanted = await send(wanted);
      if (wanted.length > 0) await new Promise((done) => setTimeout(done, Math.min(pauseMs, LONGEST_PAUSE_MS)));
    }
  });
}

async function* pages(
  read: (start: Item | undefined) => Promise<{ Items?: Item[] | undefined; LastEvaluatedKey?: Item | undefined }>,
): AsyncGenerator<Item[], void> {
  let start: Item | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await read(start);
    yield Items;
    start = LastEvaluatedKey;
  } while (start);
}

/** A write's outcome, and how many tries the client made. */
type Made = { readonly tries: number } & (
  | { readonly held: true; readonly item: Item }
  | { readonly held: false; readonly item: Item | null }
);

async function outcome(write: () => Promise<{ Attributes?: Item | undefined; $metadata?: { attempts?: number } }>): Promise<Made> {
  try {
    const { Attributes = {}, $metadata } = await write();
    return { held: true, item: Attributes, tries: $metadata?.attempts ?? 1 };
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return { held: false, item: error.Item ? unmarshall(error.Item) : null, tries: error.$metadata?.attempts ?? 1 };
  }
}

/** The key's attributes of each table. */
const KEYS = [
  ['connectionId', 'item'],
  ['audience', 'member'],
  ['topic', 'item'],
  ['kind', 'id'],
] as const;

function keyOf(item: Item): Item {
  const names = KEYS.find((pair) => pair.every((name) => name in item)) ?? [];
  return Object.fromEntries(names.map((name) => [name, item[name]]));
}

/** Attribute with the id of the newest conditional write. Short: each item of an audience has one. */
const WRITE_ID = 'w';
const NOT_YET_WRITTEN = `(attribute_not_exists(#${WRITE_ID}) OR #${WRITE_ID} <> :${WRITE_ID})`;

/** Of this environment; with a count it is unlike every other. */
const environment = randomBytes(6).toString('base64url');
let writes = 0;
const newWriteId = (): string => `${environment}${(writes++).toString(36)}`;

/** The update's clauses, its condition, and their placeholders. */
function expressionsOf({ set = {}, add = {}, takeOut = {}, remove = [], values = {}, ...condition }: Change) {
  const clause = (word: string, parts: readonly string[]): string[] => (parts.length > 0 ? [`${word} ${parts.join(', ')}`] : []);
  const given = Object.entries(set).filter(([, value]) => value !== undefined);
  const plain = Object.fromEntries(given.filter(([, value]) => !isComputed(value)));
  const clauses = [
    ...clause(
      'SET',
      given.map(([name, value]) => `#${name} = ${isComputed(value) ? value[EXPRESSION] : `:${name}`}`),
    ),
    ...clause(
      'ADD',
      Object.keys(add).map((name) => `#${name} :${name}`),
    ),
    ...clause(
      'DELETE',
      Object.keys(takeOut).map((name) => `#${name} :${name}`),
    ),
    ...clause(
      'REMOVE',
      remove.map((name) => `#${name}`),
    ),
  ];
  return conditionOf({ ...condition, values: { ...plain, ...add, ...takeOut, ...values } }, clauses.join(' '));
}

function conditionOf({ when, values = {}, names = {}, returns }: Condition, update?: string) {
  const named = namesIn([update ?? '', when ?? ''], names);
  return {
    ...(update === undefined ? {} : { UpdateExpression: update }),
    ...(when === undefined ? {} : { ConditionExpression: when, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const }),
    ...(Object.keys(named).length > 0 ? { ExpressionAttributeNames: named } : {}),
    ...(Object.keys(values).length > 0 ? { ExpressionAttributeValues: prefixed(values) } : {}),
    ...(returns ? { ReturnValues: returns } : {}),
  } as { UpdateExpression: string; ReturnValues?: 'ALL_OLD' };
}

/** Every attribute gets a placeholder: many names are reserved words. */
const namesIn = (expressions: readonly string[], names: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    expressions.flatMap((one) => [...one.matchAll(/#(\w+)/g)].map(([placeholder, name = '']) => [placeholder, names[name] ?? name])),
  );

const prefixed = (values: Item): Item => Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value]));
