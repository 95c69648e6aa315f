/** Runs a conformance script against a deployment, by URL (`README.md` beside it). */
import { readFileSync } from 'node:fs';
import { type Client, connect } from '../helpers/client.ts';
import { freshId, freshTicker, type PublishedEvent } from '../helpers/events.ts';
import type { Host } from '../helpers/host.ts';

interface Step {
  readonly about?: string;
  readonly let?: Readonly<Record<string, 'id' | 'ticker'>>;
  readonly connect?: string;
  readonly send?: object;
  readonly cut?: true;
  readonly publish?: readonly PublishedEvent[];
  readonly get?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status?: number;
  readonly expect?: Readonly<Record<string, unknown>>;
}

type Values = Map<string, unknown>;

export async function runScript(file: string, host: Host): Promise<void> {
  const values: Values = new Map();
  let client: Client | null = null;
  const connected = (): Client => {
    if (!client) throw new Error('the script has no connection');
    return client;
  };
  for (const [index, line] of readFileSync(file, 'utf8').trim().split('\n').entries()) {
    const step = JSON.parse(line) as Step;
    try {
      for (const [name, kind] of Object.entries(step.let ?? {})) values.set(name, kind === 'id' ? freshId() : freshTicker());
      if (step.connect) client = await connect(host.url);
      if (step.send) connected().send(filled(step.send, values) as object);
      if (step.publish) await host.publish(filled(step.publish, values) as PublishedEvent[]);
      if (step.get) await get(step, values, host);
      else if (step.expect) check(await next(connected()), step.expect, values);
      if (step.cut) connected().socket.terminate();
    } catch (error) {
      throw new Error(`line ${index + 1}: ${(error as Error).message}`, { cause: error });
    }
  }
  connected().socket.terminate();
}

async function next(client: Client): Promise<unknown> {
  for (;;) {
    const message = await client.next();
    if (message['type'] === 'ping') client.send({ type: 'pong' });
    else if (message['type'] !== 'connected') return message;
  }
}

/** Publishing is asynchronous: a read is repeated until it is as expected. */
async function get({ get: path = '', headers = {}, status = 200, expect = {} }: Step, values: Values, host: Host): Promise<void> {
  const read = () => host.get(String(filled(path, values)), filled(headers, values) as Record<string, string>);
  const fits = ({ status: is, body }: Awaited<ReturnType<typeof read>>) => {
    try {
      if (is !== status) return false;
      check(body, expect, new Map(values));
      return true;
    } catch {
      return false;
    }
  };
  check((await host.eventually(read, fits)).body, expect, values);
}

/** The value with every `$name` replaced; one that is nothing else keeps its type. */
function filled(value: unknown, values: Values): unknown {
  if (Array.isArray(value)) return value.map((one) => filled(one, values));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(one, values)]));
  if (typeof value !== 'string') return value;
  const whole = /^\$(\w+)$/.exec(value)?.[1];
  if (whole !== undefined) return known(whole, values);
  return value.replace(/\$(\w+)/g, (_, name: string) => String(known(name, values)));
}

function known(name: string, values: Values): unknown {
  if (!values.has(name)) throw new Error(`the script has no value ${name}`);
  return values.get(name);
}

/** Throws unless `got` has at least what is expected. Takes values by `=name`. */
function check(got: unknown, expected: unknown, values: Values, where = 'message'): void {
  const fail = (): never => {
    throw new Error(`${where}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
  };
  if (typeof expected === 'string' && expected.startsWith('=')) {
    if (got === undefined) fail();
    values.set(expected.slice(1), got);
  } else if (expected === '*') {
    if (got === undefined) fail();
  } else if (Array.isArray(expected)) {
    if (!Array.isArray(got) || got.length !== expected.length) fail();
    for (const [index, one] of expected.entries()) check((got as unknown[])[index], one, values, `${where}.${index}`);
  } else if (typeof expected === 'object' && expected !== null) {
    if (typeof got !== 'object' || got === null) fail();
    for (const [name, one] of Object.entries(expected)) check((got as Record<string, unknown>)[name], one, values, `${where}.${name}`);
  } else if (got !== filled(expected, values)) fail();
}
