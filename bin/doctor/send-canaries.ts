/** Canaries: an event of every source on its way to a client, over the bus and past it. */
import { type ClientOptions, WebSocket } from 'ws';
import { cut } from '../../core/base/text.ts';
import { CANARY, canaryTopic } from '../../core/channels/canary.ts';
import { bad, type Finding, good, note } from './finding.ts';

export interface CanaryOptions {
  readonly api: string;
  readonly socket: string;
  readonly key: string;
  readonly token: string | null;
  readonly waitMs: number;
  readonly sources: readonly string[];
  /** Unique: each canary has a topic of its own. */
  readonly id: string;
}

const LANES = ['bus', 'direct'] as const;
type Lane = (typeof LANES)[number];
interface Canary {
  readonly source: string;
  readonly lane: Lane;
  readonly id: string;
  readonly topic: string;
}

interface Receipt {
  readonly rejected: readonly { readonly index: number; readonly error_code: string; readonly error_message: string }[];
}

export async function* sendCanaries(options: CanaryOptions): AsyncGenerator<Finding> {
  const canaries = LANES.flatMap((lane) =>
    options.sources.map((source): Canary => {
      const id = `${options.id}-${lane}`;
      return { source, lane, id, topic: canaryTopic(source, id) };
    }),
  );
  const { client, refusal } = await connect(options);
  if (refusal) yield refusal;
  try {
    const answered = client !== null && (await client.subscribed(canaries.map(({ topic }) => topic)));
    if (client)
      yield answered ? good('WebSocket', `opens, and answers after ${client.elapsedMs()} ms`) : bad('WebSocket', unanswered(options));
    client?.begin();
    const { findings, taken } = await publish(canaries, options);
    yield* findings;
    if (client && answered) for (const canary of taken) yield await judge(canary, client, options);
  } finally {
    client?.close();
  }
}

const unanswered = ({ waitMs }: CanaryOptions): string =>
  `it opens, but a subscription is not answered within ${waitMs} ms: answers go by post. Is the functions' CALLBACK_URL right, and may they post (execute-api:ManageConnections)? Their logs say`;

async function judge({ source, lane, topic }: Canary, client: Client, { waitMs }: CanaryOptions): Promise<Finding> {
  const way = lane === 'bus' ? 'over the bus' : 'past the bus';
  const afterMs = await client.arrived(topic);
  if (afterMs !== null) return good(`canary of ${source}`, `${way}, there after ${afterMs} ms`);
  const hint =
    lane === 'bus'
      ? `is the rule of ${source} enabled, and may it put onto the events queue`
      : 'does a function take from the events queue, and may it do all that it must (its logs say)';
  return bad(
    `canary of ${source}`,
    `accepted, but ${way} it did not arrive within ${waitMs} ms: ${hint}? npm run doctor -- --stack NAME looks`,
  );
}

/** Publishes, a request for each lane. */
async function publish(canaries: readonly Canary[], { api, key }: CanaryOptions) {
  const findings: Finding[] = [];
  const taken = new Set<Canary>();
  for (const lane of LANES) {
    const mine = canaries.filter((one) => one.lane === lane);
    const body = JSON.stringify({ lane, events: mine.map(({ source, id }) => ({ source, detailType: CANARY, detail: { id } })) });
    const headers = { 'content-type': 'application/json', 'x-api-key': key };
    const response = await fetch(new URL('/internal/events', api), { method: 'POST', headers, body });
    const text = await response.text();
    if (response.status === 401) {
      findings.push(bad('wrong key', `POST /internal/events refuses the publish key: ${cut(text, 200)} (npm run keys -- list)`));
      break;
    }
    if (response.status !== 202) {
      findings.push(bad('publishing', `POST /internal/events on the lane ${lane} answers ${response.status}: ${cut(text, 200)}`));
      continue;
    }
    const { rejected } = JSON.parse(text) as Receipt;
    for (const [index, one] of mine.entries()) {
      const refusal = rejected.find((entry) => entry.index === index);
      if (!refusal) taken.add(one);
      else if (refusal.error_code !== 'PERMISSION_DENIED')
        findings.push(bad(`canary of ${one.source}`, `rejected: ${refusal.error_message}`));
      else if (lane === 'bus') findings.push(note(`canary of ${one.source}`, `not sent: ${refusal.error_message}`));
    }
  }
  return { findings, taken };
}

interface Client {
  /** Subscribes, and waits for the answers. False if one has not come in time. */
  subscribed(topics: readonly string[]): Promise<boolean>;
  /** Counts the time from now. */
  begin(): void;
  /** When the canary of this topic came, in ms; `null` = not in time. */
  arrived(topic: string): Promise<number | null>;
  elapsedMs(): number;
  close(): void;
}

/** A client, or why there is none. */
async function connect({ socket, token, waitMs }: CanaryOptions): Promise<{ client: Client | null; refusal: Finding | null }> {
  const options: ClientOptions & { readonly ALPNProtocols: string[] } = {
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    handshakeTimeout: waitMs,
    // an upgrade exists only in HTTP/1.1, and an edge that may choose takes HTTP/2
    ALPNProtocols: ['http/1.1'],
  };
  const ws = new WebSocket(socket, options);
  const failure = await opened(ws);
  if (failure !== null) return { client: null, refusal: judgeRefusal(socket, failure) };
  // an error is followed by a close, and what is awaited then does not come
  ws.on('error', () => undefined);
  let beganMs = Date.now();
  const arrivals = new Map<string, number>();
  const waiting = new Map<string, () => void>();
  ws.on('message', (data) => {
    const { type, topic, source, id } = JSON.parse(String(data)) as Readonly<Record<string, string>>;
    const name = `${type} ${type === 'canary' ? canaryTopic(source ?? '', id ?? '') : topic}`;
    arrivals.set(name, Date.now() - beganMs);
    waiting.get(name)?.();
  });
  const arrival = async (name: string): Promise<number | null> => {
    const left = Math.max(0, beganMs + waitMs - Date.now());
    if (!arrivals.has(name))
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        waiting.set(name, () => {
          clearTimeout(timer);
          resolve();
        });
      });
    return arrivals.get(name) ?? null;
  };
  const client: Client = {
    async subscribed(topics) {
      ws.send(JSON.stringify({ type: 'subscribe', topics }));
      const answers = await Promise.all(topics.map((topic) => arrival(`subscribed ${topic}`)));
      return answers.every((ms) => ms !== null);
    },
    begin() {
      beganMs = Date.now();
    },
    arrived: (topic) => arrival(`canary ${topic}`),
    elapsedMs: () => Date.now() - beganMs,
    close: () => ws.terminate(),
  };
  return { client, refusal: null };
}

/** Resolves with the reason if it does not open. */
function opened(ws: WebSocket): Promise<string | null> {
  return new Promise((resolve) => {
    ws.once('open', () => resolve(null));
    ws.once('error', (error) => resolve(error.message));
    ws.once('unexpected-response', (_, response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.once('end', () => resolve(`${response.statusCode} ${cut(text, 200)}`));
    });
  });
}

function judgeRefusal(socket: string, reason: string): Finding {
  if (reason.includes('CHANNEL_DISABLED')) return note('WebSocket', `is off: ${reason}`);
  const hint = reason.startsWith('401')
    ? 'It asks for a token: --token'
    : 'Are the address and the path right? What a function answered stands in its log';
  return bad('WebSocket', `${socket} does not open: ${reason}. ${hint}`);
}
