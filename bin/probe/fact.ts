/** A fact of the platform that documents do not settle: what this project assumes, and what was seen. */
export interface Fact {
  readonly fact: string;
  readonly assumed: string;
  readonly seen: string;
  /** `null` = it is only measured. */
  readonly agrees: boolean | null;
}

export const compared = (fact: string, assumed: string, seen: string): Fact => ({ fact, assumed, seen, agrees: assumed === seen });
export const measured = (fact: string, assumed: string, seen: string): Fact => ({ fact, assumed, seen, agrees: null });

export interface ProbeOptions {
  readonly api: string;
  readonly socket: string;
  readonly streams: string;
  readonly key: string;
  readonly token: string | null;
  /** The token's user; without identity any number does. */
  readonly user: string;
  /** Passes time. */
  readonly wait: (ms: number) => Promise<void>;
  readonly now: () => number;
}

export const headersOf = ({ token }: Pick<ProbeOptions, 'token'>): Record<string, string> =>
  token === null ? {} : { authorization: `Bearer ${token}` };

/** Publishes one event. Throws if it is not taken. */
export async function publishOne(event: object, { api, key }: Pick<ProbeOptions, 'api' | 'key'>): Promise<void> {
  const headers = { 'content-type': 'application/json', 'x-api-key': key };
  const body = JSON.stringify({ lane: 'direct', events: [event] });
  const response = await fetch(new URL('/internal/events', api), { method: 'POST', headers, body });
  const text = await response.text();
  if (response.status !== 202 || !text.includes('"accepted":1'))
    throw new Error(`POST /internal/events answers ${response.status}: ${text}`);
}
