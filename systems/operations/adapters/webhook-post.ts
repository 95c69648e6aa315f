/** One POST to a webhook, to an address that was found public, and to no other. */
import { createHash } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { hostOf, type Resolve } from '../webhooks/address.ts';

/** The whole request must end within this, in ms. */
const TIME_MS = 10_000;
/** Of the answer only so much is read: enough to see why a request failed. In bytes. */
const ANSWER_BYTES = 16_384;

export interface Answer {
  readonly status: number;
  /** `Retry-After`; `null` = none. */
  readonly retryAfter: string | null;
  /** Its beginning. */
  readonly body: string;
}

export interface PostPorts {
  /** Opens a connection to a public address. @default the network */
  readonly connect?: ((address: string, port: number) => Socket) | undefined;
  /** Certificates that are trusted. @default those of Node */
  readonly ca?: string | undefined;
  /** In ms. */
  readonly timeMs?: number | undefined;
}

const PORT = 443;

/** Posts JSON. The name stays in the request and in the handshake, the connection goes to `address`. No redirect is followed, and no proxy asked. */
export function post(url: URL, address: string, body: string, { connect = toNetwork, ca, timeMs = TIME_MS }: PostPorts): Promise<Answer> {
  const servername = hostOf(url);
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'realtime-push',
          host: url.host,
        },
        // no agent, and so none of its proxies and kept connections
        signal: AbortSignal.timeout(timeMs),
        createConnection: () => connectTls({ socket: connect(address, PORT), servername, ...(ca === undefined ? {} : { ca }) }),
      },
      (answer) => {
        beginningOf(answer).then((text) => {
          const { statusCode = 0, headers } = answer;
          resolve({ status: statusCode, retryAfter: headers['retry-after'] ?? null, body: text });
          sent.destroy();
        }, reject);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

const toNetwork = (address: string, port: number): Socket => connectPlain({ host: address, port });

/** The answer's first bytes; the rest is not waited for. */
async function beginningOf(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= ANSWER_BYTES) break;
  }
  return Buffer.concat(pieces).subarray(0, ANSWER_BYTES).toString('utf8');
}

/** All addresses of a name, as the system looks it up. */
export const resolveAll: Resolve = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

/** An address for logs: its host, and enough of a digest to tell two addresses apart. The rest of it is a secret. */
export const nameOf = (url: URL): string => `${hostOf(url)}#${createHash('sha256').update(url.href).digest('hex').slice(0, 8)}`;
