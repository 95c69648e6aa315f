/** `POST /internal/events` with the agent's key. */

/** An event of `ops.monitor`. */
export interface OutgoingEvent {
  readonly detailType: 'StatusUpdated' | 'ServiceChanged' | 'AlertRaised' | 'LogAppended';
  readonly detail: Readonly<Record<string, unknown>>;
  /** The same again is the same event. */
  readonly id: string;
}

export type Posted =
  | {
      readonly kind: 'answered';
      /** Of the events that were not taken: why, and whether they may be taken another time. */
      readonly refused: ReadonlyMap<number, { readonly why: string; readonly isFinal: boolean }>;
      /** Entries of events that were taken all the same. */
      readonly entries: readonly string[];
      /** The server's clock, in ms; `null` = it did not say. */
      readonly serverMs: number | null;
    }
  | {
      readonly kind: 'failed';
      readonly why: string;
      /** The server asks for this pause, in ms. */
      readonly pauseMs: number;
      /** No event of this request will ever be taken: it is malformed. */
      readonly isFinal: boolean;
    };

/** `ended`: its abort gives the request up; what became of it is not known. */
export type Post = (events: readonly OutgoingEvent[], ended: AbortSignal) => Promise<Posted>;

/** A request of 500 events may take the function's 29 s. */
const ANSWER_MS = 40_000;

interface ResponseBody {
  readonly rejected?: readonly {
    readonly index: number;
    readonly path?: string;
    readonly error_code: string;
    readonly error_message: string;
  }[];
  readonly error_message?: string;
}

/** @param address of the API, and the key, as they are now: both may change */
export function poster(address: () => { readonly url: string; readonly key: string }): Post {
  return async (events, ended) => {
    const { url, key } = address();
    const failed = (why: string, pauseMs = 0, isFinal = false): Posted => ({ kind: 'failed', why, pauseMs, isFinal });
    let response: Response;
    let body: ResponseBody | null;
    try {
      response = await fetch(new URL('/internal/events', url), {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': key },
        body: JSON.stringify({ events: events.map((event) => ({ source: 'ops.monitor', ...event })), lane: 'direct' }),
        // to another host the key would go along
        redirect: 'manual',
        signal: AbortSignal.any([ended, AbortSignal.timeout(ANSWER_MS)]),
      });
      // whatever stands between answers with pages of its own
      body = (await response.json().catch(() => null)) as ResponseBody | null;
    } catch (error) {
      const { message, cause } = error as Error & { cause?: { code?: string } };
      return failed(cause?.code ?? message);
    }
    const { status, headers } = response;
    const why = `${status}: ${body?.error_message ?? 'not accepted'}`;
    if (status !== 202) return failed(why, secondsOf(headers.get('retry-after')) * 1000, status === 400 || status === 413);
    // it names what was rejected: without it nothing counts as taken, and goes again as the same events
    if (body === null) return failed(`${status}, with an answer that cannot be read`);
    const rejected = body.rejected ?? [];
    const serverMs = Date.parse(headers.get('date') ?? '');
    return {
      kind: 'answered',
      refused: new Map(
        rejected.flatMap(({ index, path, error_code, error_message }) =>
          path === undefined ? [[index, { why: error_message, isFinal: error_code !== 'INTERNAL_SERVER_ERROR' }] as const] : [],
        ),
      ),
      entries: rejected.flatMap(({ path, error_message }) => (path === undefined ? [] : [`${path}: ${error_message}`])),
      serverMs: Number.isNaN(serverMs) ? null : serverMs,
    };
  };
}

const secondsOf = (header: string | null): number => (header !== null && /^\d{1,4}$/.test(header) ? Number(header) : 0);
