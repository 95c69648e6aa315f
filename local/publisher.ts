/** Publishes over HTTP, like every upstream. The demo, `npm run publish` and the benches share it. */

export interface OutgoingEvent {
  readonly source: string;
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
  /** Makes a repeat of it the same event. */
  readonly id?: string;
}

export interface PublishAnswer {
  readonly accepted: number;
  readonly rejected: readonly { readonly index: number; readonly error_code: string; readonly error_message: string }[];
}

/** A request of 500 events may take the function's 29 s. */
const ANSWER_MS = 40_000;

/** Throws if the whole request failed: no connection, a wrong key, a malformed request. */
export async function postEvents(
  url: string,
  key: string,
  events: readonly OutgoingEvent[],
  lane: 'bus' | 'direct' = 'bus',
): Promise<PublishAnswer> {
  const response = await fetch(new URL('/internal/events', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': key },
    body: JSON.stringify({ events, lane }),
    // to another host the key would go along
    redirect: 'manual',
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  if (response.status >= 300 && response.status < 400)
    throw new Error(`${url} leads elsewhere (${response.status}): give the address itself`);
  const body = (await response.json()) as PublishAnswer & { error_message?: string };
  if (response.status !== 202) throw new Error(`${response.status}: ${body.error_message ?? 'not accepted'}`);
  return body;
}

export interface PriceNow {
  readonly ticker: string;
  readonly price: number;
  /** The base of `change`. */
  readonly previousClose: number;
  readonly volume: number;
}

export const tickDetail = ({ ticker, price, previousClose, volume }: PriceNow, nowMs: number) => ({
  ticker,
  price,
  change: price - previousClose,
  change_rate: previousClose === 0 ? 0 : ((price - previousClose) / previousClose) * 100,
  volume,
  bid_price: price,
  ask_price: price,
  timestamp: new Date(nowMs).toISOString(),
});

export const MARKET = 'market.price';
export const OPERATIONS = 'ops.monitor';
