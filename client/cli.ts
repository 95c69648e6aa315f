#!/usr/bin/env node
/** Prints the messages of topics, one JSON line each: `realtime-push listen price:005930`. */
import { parseArgs } from 'node:util';
import type { SocketClass } from './env.ts';
import { type Client, ClientError, createClient } from './index.ts';
import { isKnownState } from './known.ts';

const USAGE = `usage: realtime-push listen <topic> … [options]

Prints each message of the topics as a line of JSON, until Ctrl-C. A lost connection comes back by itself; a gap is told.

  --url <address>    the deployment                        (default: PUSH_URL, or http://localhost:8000)
  --token <token>    a token, if the deployment asks for one   (default: PUSH_TOKEN)
  --last <n>         of log topics, start with the newest so many
  --since <position> of a log topic, start after this position
  --count <n>        end after so many messages
  --quiet            nothing about the connection on the error output, but why it ended

It ends with status 1 if the token or one of the topics is refused.
  --help             this text`;

const OPTIONS = {
  url: { type: 'string' },
  token: { type: 'string' },
  last: { type: 'string' },
  since: { type: 'string' },
  count: { type: 'string' },
  quiet: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** A failure that the caller can mend. */
function refuse(text: string): never {
  console.error(`${text}\nrealtime-push --help has the options`);
  process.exit(2);
}

function read() {
  try {
    return parseArgs({ options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return refuse((error as Error).message);
  }
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text !== undefined && !/^[1-9]\d*$/.test(text)) refuse(`--${name}: expected a whole number from 1, got ${text}`);
  return text === undefined ? undefined : Number(text);
}

/** Node has a WebSocket of its own from version 22 on. */
async function socketClass(): Promise<SocketClass | null> {
  const own = (globalThis as unknown as { WebSocket?: SocketClass }).WebSocket;
  if (own) return own;
  const name = 'ws';
  return import(name).then(
    (ws: { WebSocket: SocketClass }) => ws.WebSocket,
    () => null,
  );
}

async function main(): Promise<void> {
  const { values, positionals } = read();
  if (values.help) return console.log(USAGE);
  const [command, ...topics] = positionals;
  if (command !== 'listen') refuse(command ? `there is no command ${command}` : 'a command is missing');
  if (topics.length === 0) refuse('name at least one topic, such as price:005930');
  if (values.since && topics.length > 1) refuse('--since: a position is of one topic');
  const last = wholeNumber('last', values.last);
  let left = wholeNumber('count', values.count) ?? Number.POSITIVE_INFINITY;
  const say = (text: string): void => {
    if (!values.quiet) console.error(text);
  };
  const WebSocket = await socketClass();
  if (!WebSocket) refuse('Node 20 has no WebSocket: use Node 22, or install the package ws');
  const client: Client = createClient({
    url: values.url ?? process.env['PUSH_URL'] ?? 'http://localhost:8000',
    token: values.token ?? process.env['PUSH_TOKEN'] ?? null,
    env: { WebSocket },
  });
  client.on('status', say);
  client.on('error', (error) => {
    if (!error.fatal) return say(`${error.code}: ${error.message}`);
    console.error(`${error.code}: ${error.message}`);
    process.exitCode = 1;
    client.close();
  });
  const print = (message: object): void => {
    if (left <= 0) return;
    console.log(JSON.stringify(message));
    left--;
    if (left <= 0) client.close();
  };
  for (const topic of topics) {
    const onGap = () => say(`${topic}: messages are missing before the next one`);
    if (isKnownState(topic)) client.watch(topic, print);
    else client.follow(topic, print, { ...(last ? { last } : {}), ...(values.since ? { since: values.since } : {}), onGap });
  }
  // a reader that has seen enough, such as head
  process.stdout.on('error', () => process.exit(0));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => client.close());
  client.start();
}

main().catch((error: unknown) => {
  if (error instanceof ClientError) refuse(error.message);
  throw error;
});
