import { inject } from 'vitest';
import type { PublishedEvent } from './events.ts';
import { within } from './within.ts';

/** The longest that `eventually` reads, in ms: less than a test may take. */
const EVENTUALLY_MS = 30_000;

/** The deployment under test, by URL. */
export interface Host {
  readonly url: string;
  /** For publishing. */
  readonly key: string;
  get(path: string, headers?: Record<string, string>): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<{ status: number; body: Record<string, unknown> }>;
  /** Publishes and expects every event to be accepted. */
  publish(events: readonly PublishedEvent[], lane?: 'bus' | 'direct'): Promise<void>;
  /** Reads until the claim holds: publishing is asynchronous. `everyMs`: more for a read that makes work. @default 20 */
  eventually<Value>(read: () => Promise<Value>, claim: (value: Value) => boolean, everyMs?: number): Promise<Value>;
}

export function hostAt(url: string, key: string): Host {
  const host: Host = {
    url,
    key,
    async get(path, headers = {}) {
      const read = async () => {
        const response = await fetch(url + path, { headers });
        return { response, text: await response.text() };
      };
      const { response, text } = await within(read(), `the whole response of ${path}`);
      return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
    },
    async post(path, body, headers = { 'x-api-key': key }) {
      const response = await fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
    },
    async publish(events, lane = 'direct') {
      const { status, body } = await host.post('/internal/events', { events, lane });
      if (status !== 202 || body['accepted'] !== events.length) throw new Error(`publishing failed: ${status} ${JSON.stringify(body)}`);
    },
    async eventually(read, claim, everyMs = 20) {
      const began = Date.now();
      for (let tries = 0; ; tries++) {
        const value = await read();
        if (claim(value)) return value;
        if (tries > 400 || Date.now() - began > EVENTUALLY_MS)
          throw new Error(`expected ${String(claim)} after ${tries} reads, got ${JSON.stringify(value)}`);
        await new Promise((done) => setTimeout(done, everyMs));
      }
    },
  };
  return host;
}

/** The host that the contract suites share. */
export const sharedHost = (): Host => hostAt(inject('baseUrl'), inject('publishKey'));
