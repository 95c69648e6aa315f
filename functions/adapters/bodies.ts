/**
 * Bodies of large messages, in a bucket. Two signed requests of our own: the SDK's client for buckets is as large as the
 * rest of a function, and every cold start would load it for the few messages that need it.
 */

import { ENV } from '../../core/names.ts';
import type { Bodies, Body } from '../../core/ports/bodies.ts';
import { environmentNow } from './clock.ts';
import { awsCredentials, bucketEndpoint, requireEnv } from './env.ts';
import { bodyHash, signer } from './sigv4.ts';

/** For all tries together: the caller has other topics to serve. */
const DEADLINE_MS = 4_000;
const PAUSES_MS = [50, 200] as const;

export interface BodiesOptions {
  /** Address of the bucket. */
  readonly bucketUrl: string;
  readonly credentials: Parameters<typeof signer>[1];
  readonly now?: () => number;
}

export function bucketBodies(
  options: BodiesOptions = { bucketUrl: bucketEndpoint(requireEnv(ENV.bodiesBucket)), credentials: awsCredentials() },
): Bodies {
  const { bucketUrl, credentials, now = environmentNow } = options;
  const sign = signer('s3', credentials);

  const send = async (method: 'GET' | 'PUT', id: string, body = ''): Promise<Response> => {
    const url = new URL(`${bucketUrl}/messages/${id}`);
    const signal = AbortSignal.timeout(DEADLINE_MS);
    for (let tries = 0; ; tries++) {
      const headers = sign({ method, host: url.host, path: url.pathname, bodyHash: bodyHash(body) }, now());
      const request = { method, headers, signal, ...(method === 'PUT' ? { body } : {}) };
      const pause = PAUSES_MS[tries];
      try {
        const response = await fetch(url, request);
        if (response.status < 500 || pause === undefined) return response;
        await response.body?.cancel();
      } catch (error) {
        if (pause === undefined || signal.aborted) throw error;
      }
      await new Promise((done) => setTimeout(done, pause));
    }
  };

  return {
    async put(id, body) {
      const { status, body: answer } = await send('PUT', id, JSON.stringify(body));
      await answer?.cancel();
      if (status !== 200) throw new Error(`the bucket does not take a body: ${status}; check the function's grant`);
    },
    async read(id) {
      // our ids are letters, digits and hyphens: anything else is no id, and must not become a path
      if (!/^[\w-]{1,100}$/.test(id)) return null;
      const response = await send('GET', id);
      if (response.status !== 200) await response.body?.cancel();
      if (response.status === 404) return null;
      if (response.status !== 200) throw new Error(`the bucket does not give a body: ${response.status}; check the function's grant`);
      const body = (await response.json()) as Body;
      // the bucket deletes days late
      return body.expiresAtMs > now() ? body : null;
    },
  };
}
