/** Canaries: an event of every source on its way to a client, over the bus and past it. */
import { randomUUID } from 'node:crypto';
import { cut } from '../../core/base/text.ts';
import { CANARY, canaryTopic } from '../../core/channels/canary.ts';
import { bearer, type Deployed } from '../deployed.ts';
import { RefusedError, type SocketClient, withSocket } from '../socket-client.ts';
import { bad, DEPLOY, type Finding, good, note } from './finding.ts';
import { firstOf } from './first-of.ts';

export interface CanaryOptions extends Pick<Deployed, 'api' | 'socket' | 'token' | 'sources'> {
  /** `null` = the WebSocket alone is judged. */
  readonly key: string | null;
  /** A canary, or an answer, may take this long. */
  readonly waitMs: number;
}

/** The function that publishes may take its 29 s. */
const PUBLISH_MS = 30_000;

const LANES = ['bus', 'direct'] as const;
type Lane = (typeof LANES)[number];

interface Canary {
  readonly source: string;
  readonly id: string;
  readonly topic: string;
}

/** Each canary has a topic of its own. */
const canariesOf = (sources: readonly string[]): Canary[] =>
  sources.map((source) => {
    const id = randomUUID();
    return { source, id, topic: canaryTopic(source, id) };
  });

/** Publishing is judged also if no client can see what comes of it. */
export async function sendCanaries(options: CanaryOptions): Promise<Finding[]> {
  const { socket, token, waitMs } = options;
  const beganMs = Date.now();
  try {
    return await withSocket({ url: socket, headers: bearer(token), openMs: waitMs }, async (client) => {
      const openMs = Date.now() - beganMs;
      const byLane = LANES.map((lane) => ({ lane, canaries: canariesOf(options.sources) }));
      const unheard = await subscribe(
        byLane.flatMap(({ canaries }) => canaries),
        client,
        waitMs,
      );
      const findings = [unheard ?? good('WebSocket', `opens after ${openMs} ms, and answers`)];
      const arriving: Promise<Finding[]>[] = [];
      for (const { lane, canaries } of byLane) {
        const { findings: refusals, taken } = await publish(lane, canaries, options);
        findings.push(...refusals);
        if (taken === null) break;
        if (unheard === null) arriving.push(arrivals(lane, taken, client, waitMs));
      }
      return [...findings, ...(await Promise.all(arriving)).flat()];
    });
  } catch (error) {
    const { findings } = await publish('bus', canariesOf(options.sources), options);
    return [refused(socket, error as Error), ...findings];
  }
}

function refused(socket: string, error: Error): Finding {
  if (error instanceof RefusedError && error.body.includes('CHANNEL_DISABLED')) return note('WebSocket', `is off: ${error.message}`);
  const status = error instanceof RefusedError ? error.status : null;
  const hint =
    status === 401
      ? 'It asks for a token: --token'
      : 'Are the address and the path right? If a function refused it, the log of ws-connect says why';
  return bad('WebSocket', `${socket} does not open: ${error.message}. ${hint}`);
}

/** A reply of the deployment, whatever its type; `null` = the text is none. */
function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    // told as a text that is not understood
    return null;
  }
}

/** Subscribes to the canaries' topics. Returns what is wrong; `null` = all were answered. */
async function subscribe(canaries: readonly Canary[], client: SocketClient, waitMs: number): Promise<Finding | null> {
  client.socket.send(JSON.stringify({ type: 'subscribe', topics: canaries.map(({ topic }) => topic) }));
  const last = canaries.at(-1)?.topic ?? '';
  const answer = await client.until((text) => {
    const { type, topic } = parsed(text) ?? { type: 'garbage' };
    return type === 'error' || type === 'garbage' || (type === 'subscribed' && topic === last);
  }, waitMs);
  if (answer === null)
    return bad(
      'WebSocket',
      `it opens, but a subscription is not answered within ${waitMs} ms: answers go by post. Is the functions' CALLBACK_URL right, and may they post (execute-api:ManageConnections)? Their logs say`,
    );
  if (parsed(answer)?.['type'] === 'subscribed') return null;
  return bad(
    'WebSocket',
    `a subscription to ${last} is answered with ${cut(answer, 300)}. Does this checkout run there (${DEPLOY}), and is --token a user's?`,
  );
}

interface Rejection {
  readonly index: number;
  readonly error_code: string;
  readonly error_message: string;
}

interface Published {
  readonly findings: Finding[];
  /** The canaries that were taken, and when they were published; `null` if there is no key, or a wrong one. */
  readonly taken: { readonly canaries: readonly Canary[]; readonly atMs: number } | null;
}

/** Publishes canaries in one request. */
async function publish(lane: Lane, canaries: readonly Canary[], options: CanaryOptions): Promise<Published> {
  const { key } = options;
  if (key === null) return { findings: [], taken: null };
  const atMs = Date.now();
  const trouble = (says: string): Published => ({
    findings: [bad('publishing', `POST /internal/events on the lane ${lane} ${says}`)],
    taken: { canaries: [], atMs },
  });
  const answer = await post(lane, canaries, key, options).catch((error: Error) => error);
  if (answer instanceof Error) return trouble(`fails: ${answer.message}`);
  const { status, text } = answer;
  if (status === 401)
    return {
      findings: [bad('wrong key', `POST /internal/events refuses the publish key: ${cut(text, 200)} (npm run keys -- list)`)],
      taken: null,
    };
  const rejected = status === 202 ? parsed(text)?.['rejected'] : undefined;
  if (!Array.isArray(rejected)) return trouble(`answers ${status}: ${cut(text, 200)}`);
  const rejections = rejected as readonly Rejection[];
  const findings = rejections.flatMap(({ index, error_code, error_message }) => {
    const check = `canary of ${canaries[index]?.source ?? ''}`;
    if (error_code !== 'PERMISSION_DENIED') return [bad(check, `rejected: ${error_message}`)];
    return lane === 'bus' ? [note(check, `not sent: ${error_message}`)] : [];
  });
  return { findings, taken: { canaries: canaries.filter((_, index) => !rejections.some((one) => one.index === index)), atMs } };
}

async function post(
  lane: Lane,
  canaries: readonly Canary[],
  key: string,
  { api, waitMs }: CanaryOptions,
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(new URL('/internal/events', api), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': key },
    body: JSON.stringify({ lane, events: canaries.map(({ source, id }) => ({ source, detailType: CANARY, detail: { id } })) }),
    // to another host the key would go along
    redirect: 'manual',
    signal: AbortSignal.timeout(waitMs + PUBLISH_MS),
  });
  return { status: response.status, text: await firstOf(response) };
}

const HINTS: Readonly<Record<Lane, (source: string) => string>> = {
  bus: (source) => `is the rule of ${source} enabled, and may it put onto the events queue`,
  direct: () => 'does a function take from the events queue, and may it do all that it must (its log says)',
};

/** Awaits canaries. Their time counts from the request that published them. */
async function arrivals(
  lane: Lane,
  { canaries, atMs }: { readonly canaries: readonly Canary[]; readonly atMs: number },
  client: SocketClient,
  waitMs: number,
): Promise<Finding[]> {
  const way = lane === 'bus' ? 'over the bus' : 'past the bus';
  return Promise.all(
    canaries.map(async ({ source, id }) => {
      const check = `canary of ${source}`;
      const there = await client.until((text) => text.includes('"canary"') && text.includes(id), waitMs);
      if (there !== null) return good(check, `${way}, there after ${Date.now() - atMs} ms`);
      return bad(
        check,
        `accepted, but ${way} it did not arrive within ${waitMs} ms: ${HINTS[lane](source)}? npm run doctor -- --stack NAME looks`,
      );
    }),
  );
}
