import { SendMessageBatchCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, test } from 'vitest';
import type { AcceptedEvent } from '../../../core/ports/events.ts';
import { deadLetters, directLane, jobsQueue, workQueues } from '../../../functions/adapters/queues.ts';

const URL = 'https://sqs.example/queue';
const client = new SQSClient({});
const sqs = mockClient(client);
beforeEach(() => {
  sqs.reset();
  sqs.onAnyCommand().resolves({});
});
const sent = () => sqs.commandCalls(SendMessageCommand).map(({ args: [command] }) => command.input);
const batches = () => sqs.commandCalls(SendMessageBatchCommand).map(({ args: [command] }) => command.input.Entries ?? []);

describe('a job', () => {
  const job = { kind: 'drain', topic: 't', shard: 0 } as const;

  test.each([
    [undefined, 0],
    [7, 7],
    [900, 900],
    [901, 900],
  ])('with a delay of %j s waits %i s, and never longer than SQS can', async (delay, seconds) => {
    await jobsQueue(URL, client).put(job, delay);

    expect(sent()).toEqual([{ QueueUrl: URL, MessageBody: JSON.stringify(job), DelaySeconds: seconds }]);
  });
});

describe("a worker's work", () => {
  const queues = workQueues({ mails: `${URL}/mails`, sums: `${URL}/sums` }, client);

  test('goes to the queue of that worker', async () => {
    await queues.put('sums', { n: 1 });
    await queues.put('mails', { n: 2 }, 1_000);

    expect(sent()).toEqual([
      { QueueUrl: `${URL}/sums`, MessageBody: '{"n":1}', DelaySeconds: 0 },
      { QueueUrl: `${URL}/mails`, MessageBody: '{"n":2}', DelaySeconds: 900 },
    ]);
  });

  test('is refused if there is no such worker', async () => {
    for (const name of ['nobody', 'constructor', '__proto__'])
      await expect(queues.put(name, {})).rejects.toThrow(`there is no worker ${name}`);

    expect(sent()).toEqual([]);
  });
});

describe('a dead event', () => {
  const bury = async (reason: string): Promise<string | undefined> => {
    await deadLetters(URL, client).bury('the body', reason);
    return sent()[0]?.MessageAttributes?.['reason']?.StringValue;
  };

  test('is kept as it came, with the reason beside it', async () => {
    expect(await bury('detail.price: is missing')).toBe('detail.price: is missing');

    expect(sent()).toMatchObject([{ QueueUrl: URL, MessageBody: 'the body', MessageAttributes: { reason: { DataType: 'String' } } }]);
  });

  test('has a reason of at most 1,000 characters', async () => {
    expect(await bury('x'.repeat(2_000))).toBe('x'.repeat(1_000));
  });

  test('has no character in its reason that the queue refuses', async () => {
    expect(await bury('a\u0000b\nc\u007fd\u0085e\ud800f한é ~')).toBe('a?b?c?d?e?f한é ~');
  });
});

describe('the direct lane', () => {
  const event = (id: string, over: Partial<AcceptedEvent> = {}): AcceptedEvent => ({
    id,
    source: 's',
    detailType: 'T',
    detail: { a: 1 },
    time: '2026-02-06T03:00:00Z',
    acceptedAtMs: 1_770_346_800_000,
    index: 2,
    ...over,
  });
  const send = (events: AcceptedEvent[]) => directLane(URL, client).send(events);

  test('puts envelopes such as those of the bus on the queue', async () => {
    expect(await send([event('e1')])).toEqual([]);

    expect(batches()).toEqual([[{ Id: '0', MessageBody: expect.any(String) }]]);
    expect(JSON.parse(batches()[0]?.[0]?.MessageBody ?? '')).toEqual({
      id: 'e1',
      source: 's',
      'detail-type': 'T',
      time: '2026-02-06T03:00:00.000Z',
      detail: { a: 1, _accepted: { id: 'e1', time: '2026-02-06T03:00:00Z', acceptedAtMs: 1_770_346_800_000, index: 2 } },
    });
  });

  test('sends at most ten in a request, each under an id of its own', async () => {
    await send(Array.from({ length: 23 }, (_, index) => event(`e${index}`)));

    expect(batches().map(({ length }) => length)).toEqual([10, 10, 3]);
    expect(batches()[1]?.map(({ Id }) => Id)).toEqual(Array.from({ length: 10 }, (_, index) => String(index)));
  });

  test('sends no more in a request than the queue takes', async () => {
    await send(Array.from({ length: 3 }, (_, index) => event(`e${index}`, { detail: { text: 'x'.repeat(400_000) } })));

    expect(batches().map(({ length }) => length)).toEqual([2, 1]);
  });

  test('tries once more what was not taken, and says what still was not', async () => {
    sqs
      .on(SendMessageBatchCommand)
      .resolvesOnce({ Failed: [1, 3].map((index) => ({ Id: String(index), SenderFault: false, Code: 'Busy' })), Successful: [] })
      .resolvesOnce({ Failed: [{ Id: '1', SenderFault: false, Code: 'Busy' }], Successful: [] });

    expect(await send(['a', 'b', 'c', 'd'].map((id) => event(id)))).toEqual([3]);

    expect(batches()[1]?.map(({ MessageBody }) => (JSON.parse(MessageBody ?? '') as { id: string }).id)).toEqual(['b', 'd']);
  });

  test('throws if nothing was taken', async () => {
    sqs.on(SendMessageBatchCommand).rejects(new Error('no queue'));

    await expect(send([event('a'), event('b')])).rejects.toThrow('no queue');
  });

  test('says which were not taken if only one request failed', async () => {
    sqs.on(SendMessageBatchCommand).resolvesOnce({ Failed: [], Successful: [] }).rejects(new Error('no queue'));

    expect(await send(Array.from({ length: 12 }, (_, index) => event(`e${index}`)))).toEqual([10, 11]);
  });
});
