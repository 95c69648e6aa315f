/** Probe of hops: a worker that hands on again and again is a loop, which the platform would cut after some 16 rounds. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { CANARY, canaryTopic } from '../../core/channels/canary.ts';
import { linesIn } from '../log-lines.ts';
import { queueUrl, resourcesOf, type StackResource, type StackTarget } from '../stack-target.ts';
import { ANSWER_MS, compared, type Fact, measured, type Probed, publishOne, withClient } from './fact.ts';

/** A topic rests if nothing comes within a window of 200 ms. */
const PACE_MS = 50;
/** Hand-ons that show more than the platform would let go on. */
const ENOUGH = 17;
/** The counts of queues and the lines of logs lag behind. */
const SETTLE_MS = 5_000;

export interface HopsOptions {
  readonly target: StackTarget;
  /** The topic is kept busy for so long, in seconds. */
  readonly busySeconds: number;
  readonly settleMs?: number;
}

export async function* probeHops(probed: Probed, { target, busySeconds, settleMs = SETTLE_MS }: HopsOptions): AsyncGenerator<Fact> {
  const { source } = probed;
  const resources = await resourcesOf(target);
  const before = await deadLetters(resources, target);
  const id = randomUUID();
  const topic = canaryTopic(source, id);
  const canary = { source, detailType: CANARY, detail: { id } };
  const beganMs = Date.now();
  const seen = await withClient(probed, [], async (client) => {
    client.socket.send(JSON.stringify({ type: 'subscribe', topic }));
    await client.until((text) => text.includes('"subscribed"'), ANSWER_MS);
    // side by side: a request may take longer than the topic may rest
    const sent: Promise<void>[] = [];
    while (Date.now() - beganMs < busySeconds * 1000) {
      sent.push(publishOne(canary, probed));
      await pause(PACE_MS);
    }
    await Promise.all(sent);
    const offsets = () => client.texts.flatMap((text) => offsetIn(text) ?? []);
    // of two that were published side by side, the older may come later: it is no message
    const head = await headOf(topic, probed);
    await client.until(() => offsets().includes(head), ANSWER_MS);
    return { sent: sent.length, head, delivered: offsets().length - 1, newest: Math.max(...offsets()) };
  });
  await pause(settleMs);
  const handedOn = await handOns(topic, beganMs, resources, target);
  const lost = (await deadLetters(resources, target)) - before;
  yield measured(
    `a topic that is busy for ${busySeconds} s`,
    'at most 5 deliveries a second',
    `${seen.sent} events, ${seen.delivered} deliveries, ${handedOn} hand-ons`,
  );
  const fact = `after ${ENOUGH} hand-ons and more`;
  const assumed = 'the newest is delivered, and nothing is given up';
  if (handedOn < ENOUGH) yield measured(fact, assumed, `not tested: only ${handedOn} hand-ons; --busy makes more`);
  else
    yield compared(
      fact,
      assumed,
      seen.newest === seen.head && lost <= 0
        ? assumed
        : `offset ${seen.newest} of ${seen.head} is delivered, and ${lost} messages are given up`,
    );
}

/** The offset of a message's position, or of a subscription's; `null` = it has none. */
function offsetIn(text: string): number | null {
  const offset = /"position":"\w+-(\d+)"/.exec(text)?.[1];
  return offset === undefined ? null : Number(offset);
}

/** The newest offset of a topic, by a subscription to it. */
const headOf = (topic: string, probed: Probed): Promise<number> =>
  withClient(probed, [], async (client) => {
    client.socket.send(JSON.stringify({ type: 'subscribe', topic }));
    const answer = await client.until((text) => text.includes('"subscribed"'), ANSWER_MS);
    return offsetIn(answer ?? '') ?? 0;
  });

/** Hand-ons of a topic, by the drains' logs. */
async function handOns(topic: string, sinceMs: number, resources: readonly StackResource[], target: StackTarget): Promise<number> {
  const logs = new CloudWatchLogsClient(target.client);
  const groups = resources.filter(({ id, type }) => type === 'AWS::Logs::LogGroup' && /^(Ingestingest|Deliveryfanout)/.test(id));
  try {
    let count = 0;
    for (const { physicalId } of groups)
      for (const { text } of await linesIn(logs, physicalId, topic, sinceMs)) if (text.includes('"handed on"')) count += 1;
    return count;
  } finally {
    logs.destroy();
  }
}

/** Messages in all dead-letter queues. */
async function deadLetters(resources: readonly StackResource[], target: StackTarget): Promise<number> {
  const sqs = new SQSClient(target.client);
  try {
    let messages = 0;
    for (const queue of resources.filter(({ id, type }) => type === 'AWS::SQS::Queue' && id.includes('Dead'))) {
      const asked = new GetQueueAttributesCommand({ QueueUrl: queueUrl(queue, target), AttributeNames: ['ApproximateNumberOfMessages'] });
      messages += Number((await sqs.send(asked)).Attributes?.['ApproximateNumberOfMessages'] ?? 0);
    }
    return messages;
  } finally {
    sqs.destroy();
  }
}
