// @ts-check
/**
 * Stands before the embedded DynamoDB: checks the caller's policies, and does what levers ask for. Eventually consistent reads
 * can be served from a replica that lags, writes can be applied and their answer lost, and writes to a busy partition can be throttled.
 */
import { Readable } from 'node:stream';
import { dateRefusal, makeGate } from '../base/policy.mjs';

/** @typedef {import('node:http').IncomingMessage} Request */
/** @typedef {import('node:http').ServerResponse} Response */
/** @typedef {(request: Request, response: Response) => void} Listener */
/** @typedef {Record<string, any>} Input */

const READS = new Set(['GetItem', 'BatchGetItem', 'Query', 'Scan']);
const THROTTLED = 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException';
const BATCHES = new Set(['BatchGetItem', 'BatchWriteItem']);
const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem']);
/** Tables are made by the owner alone. */
const TABLE_CALLS = new Set(['CreateTable', 'ListTables', 'DescribeTable']);

/**
 * @param {{ main: Listener, makeReplica: () => Listener, grants: Parameters<typeof makeGate>[0],
 *   levers: Float64Array, now: () => number, random: () => number, tell: (refusal: string) => void }} options `levers`: see `tableLevers`
 */
export function tablesGate({ main, makeReplica, grants, levers, now, random, tell }) {
  const gate = makeGate(grants, tell);
  /** @type {Map<string, Input>} */
  const tables = new Map();
  /** @type {Promise<Listener> | null} */
  let replica = null;
  let copies = Promise.resolve();
  /** Requests that lost an answer. Their retries are answered. @type {Set<string>} */
  const lost = new Set();

  /** Writes to each partition key in this second. @type {Map<string, number>} */
  const partitions = new Map();
  let second = 0;

  /** Whether a write is one too many for its partition. @param {string} operation @param {Input} input */
  function isHot(operation, input) {
    const most = Number(levers[2]);
    if (!Number.isFinite(most)) return false;
    const current = Math.floor(now() / 1000);
    if (current !== second) partitions.clear();
    second = current;
    const names = keysOf(operation, input).map(({ name, key }) => `${name} ${JSON.stringify(Object.values(key)[0])}`);
    for (const name of names) partitions.set(name, (partitions.get(name) ?? 0) + 1);
    return names.some((name) => (partitions.get(name) ?? 0) > most);
  }

  /** The replica as it was when the lever was turned on. @returns {Promise<Listener> | null} */
  function replicaNow() {
    if (!(Number(levers[0]) > 0)) replica = null;
    else replica ??= fill(makeReplica());
    return replica;
  }

  /** @param {Listener} copy */
  async function fill(copy) {
    for (const [name, table] of tables) {
      await call(copy, 'CreateTable', table);
      // it takes a moment, however short
      while ((await call(copy, 'DescribeTable', { TableName: name }))['Table'].TableStatus !== 'ACTIVE') await new Promise(setImmediate);
      for (let start; ; ) {
        const { Items = [], LastEvaluatedKey } = await call(main, 'Scan', {
          TableName: name,
          ConsistentRead: true,
          ExclusiveStartKey: start,
        });
        for (const Item of Items) await call(copy, 'PutItem', { TableName: name, Item });
        if (!LastEvaluatedKey) break;
        start = LastEvaluatedKey;
      }
    }
    return copy;
  }

  /** Copies an item to the replica once the lag is over. @param {string} TableName @param {Input} Key @param {Listener} copy */
  function copyLater(TableName, Key, copy) {
    const lagMs = Number(levers[0]);
    if (!Number.isFinite(lagMs)) return;
    setTimeout(() => {
      copies = copies
        .then(async () => {
          const { Item } = await call(main, 'GetItem', { TableName, Key, ConsistentRead: true });
          await (Item ? call(copy, 'PutItem', { TableName, Item }) : call(copy, 'DeleteItem', { TableName, Key }));
        })
        .catch((error) => tell(`an item was not copied to the replica: ${error.message}`));
    }, lagMs);
  }

  /** Throttled writes so far, by table. @type {Record<string, number>} */
  const throttled = {};
  /** The tables of a call. @param {string} operation @param {Input} input */
  const namesIn = (operation, input) => (BATCHES.has(operation) ? Object.keys(input['RequestItems'] ?? {}) : [String(input['TableName'])]);

  /** @param {string} operation @param {Input} input */
  const keysOf = (operation, input) => {
    const puts =
      operation === 'BatchWriteItem' ? Object.entries(input['RequestItems']) : [[input['TableName'], [writeOf(operation, input)]]];
    return puts.flatMap(([name, requests]) =>
      requests.map((/** @type {Input} */ { PutRequest, DeleteRequest }) => {
        const names = tables.get(name)?.['KeySchema'].map((/** @type {Input} */ { AttributeName }) => AttributeName) ?? [];
        const item = PutRequest?.Item ?? DeleteRequest?.Key ?? {};
        return { name, key: Object.fromEntries(names.map((/** @type {string} */ one) => [one, item[one]])) };
      }),
    );
  };

  /** @param {Request} request @param {Response} response */
  async function serve(request, response) {
    /** @type {Buffer[]} */
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    // the SDK corrects its clock by it
    response.setHeader('date', new Date(now()).toUTCString());
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    const input = parse(body);
    if (operation === 'CreateTable') tables.set(input['TableName'], input);
    if (!TABLE_CALLS.has(operation)) {
      const late = dateRefusal(request.headers, now());
      if (late !== null) return fail(response, 400, 'com.amazon.coral.service#InvalidSignatureException', late);
      for (const name of namesIn(operation, input)) {
        const refusal = gate.refusal(request.headers.authorization, `dynamodb:${operation}`, `arn:local:${name}`);
        if (refusal !== null) return fail(response, 400, 'com.amazon.coral.service#AccessDeniedException', refusal);
      }
      if (WRITES.has(operation) && isHot(operation, input)) {
        levers[3] = Number(levers[3]) + 1;
        for (const name of namesIn(operation, input)) throttled[name] = (throttled[name] ?? 0) + 1;
        return fail(response, 400, THROTTLED, 'the partition takes no more writes in this second');
      }
    }
    const copy = await replicaNow();
    if (copy && READS.has(operation) && isWeak(operation, input)) return copy(replay(request, body), response);
    if (WRITES.has(operation)) watchWrite(operation, input, String(request.headers['amz-sdk-invocation-id']), response, copy);
    main(replay(request, body), response);
  }

  /** `id`: the same for a request and its retries. @param {string} operation @param {Input} input @param {string} id @param {Response} response @param {Listener | null} copy */
  function watchWrite(operation, input, id, response, copy) {
    const loses = 'ConditionExpression' in input && Number(levers[1]) > 0 && !lost.has(id) && random() < Number(levers[1]);
    if (!copy && !loses) return;
    const end = response.end.bind(response);
    // @ts-expect-error the embedded DynamoDB calls it with the body alone
    response.end = (body) => {
      const applied = response.statusCode === 200;
      if (applied && copy) for (const { name, key } of keysOf(operation, input)) copyLater(name, key, copy);
      if (!applied || !loses) return end(body);
      lost.add(id);
      response.removeHeader('x-amz-crc32');
      const text = errorBody('com.amazonaws.dynamodb.v20120810#InternalServerError', 'a lever loses the answer');
      response.statusCode = 500;
      response.setHeader('Content-Length', Buffer.byteLength(text));
      return end(text);
    };
  }

  return { serve, used: gate.used, throttled: () => throttled };
}

/** @param {string} operation @param {Input} input */
const writeOf = (operation, input) =>
  operation === 'PutItem' ? { PutRequest: { Item: input['Item'] } } : { DeleteRequest: { Key: input['Key'] } };

/** @param {string} operation @param {Input} input */
const isWeak = (operation, input) =>
  operation === 'BatchGetItem'
    ? Object.values(input['RequestItems']).every((one) => one.ConsistentRead !== true)
    : input['ConsistentRead'] !== true;

/** @param {Buffer} body @returns {Input} */
function parse(body) {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    // the embedded DynamoDB says what is wrong with it
    return {};
  }
}

/** A request with its body unread. @param {Pick<Request, 'method' | 'url' | 'headers'>} request @param {Buffer} body @returns {Request} */
const replay = ({ method, url, headers }, body) =>
  /** @type {Request} */ (/** @type {unknown} */ (Object.assign(Readable.from([body]), { method, url, headers })));

/** Calls the embedded DynamoDB without the network. @param {Listener} listener @param {string} operation @param {Input} input @returns {Promise<Input>} */
function call(listener, operation, input) {
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': `DynamoDB_20120810.${operation}`,
    'x-amz-date': '20260101T000000Z',
    authorization: 'AWS4-HMAC-SHA256 Credential=owner/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=none',
  };
  return new Promise((resolve, reject) => {
    const response = {
      statusCode: 200,
      setHeader: () => undefined,
      end(/** @type {string} */ body) {
        if (response.statusCode === 200) resolve(JSON.parse(body));
        else reject(new Error(`${operation}: ${body}`));
      },
    };
    listener(replay({ method: 'POST', url: '/', headers }, Buffer.from(JSON.stringify(input))), /** @type {any} */ (response));
  });
}

/** @param {string} type @param {string} message */
const errorBody = (type, message) => JSON.stringify({ __type: type, message, Message: message });

/** @param {Response} response @param {number} status @param {string} type @param {string} message */
function fail(response, status, type, message) {
  const body = errorBody(type, message);
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
