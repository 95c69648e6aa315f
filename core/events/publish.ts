import * as v from 'valibot';
import { byteLength } from '../base/bytes.ts';
import { bounded } from '../base/concurrency.ts';
import { eventId } from '../base/event-id.ts';
import { parseMicros } from '../base/time.ts';
import { explain, jsonObject, optional, parseJson } from '../base/validation.ts';
import type { Channels } from '../channels/channels.ts';
import { PushError } from '../errors.ts';
import { METRIC } from '../names.ts';
import type { AcceptedEvent, AgentScope, KeyHolder } from '../ports/events.ts';
import type { Ports } from '../ports/ports.ts';
import { checkEvent, checkSize, type KnownEvent } from './envelope.ts';
import { EVERY_SOURCE } from './key-ring.ts';

/** `docs/protocol.md`, "Publishing". */
const MAX_EVENTS = 500;
/** Of a request, its envelope included. */
export const MAX_PUBLISH_BYTES = 1_000_000;

/** The schema of a request. Each event is checked by itself. */
export const publishRequest = v.object({
  events: v.pipe(v.array(v.unknown()), v.minLength(1, 'expected 1 to 500 events'), v.maxLength(MAX_EVENTS, 'expected 1 to 500 events')),
  lane: optional(v.picklist(['bus', 'direct']), 'bus'),
});

const publishedEvent = v.object({
  source: v.string(),
  detailType: v.string(),
  detail: jsonObject,
  id: optional(eventId(128)),
  time: optional(
    v.pipe(
      v.string(),
      v.check((text) => parseMicros(text) !== null, 'expected ISO 8601 with a zone'),
    ),
  ),
});

export interface Rejection {
  readonly index: number;
  /** Of an event that is a list, the bad entry's field, such as `quotes.2.price`: the others were taken. */
  readonly path?: string;
  readonly error_code: string;
  readonly error_message: string;
}

export interface Receipt {
  /** Events that were taken, in part or whole. */
  readonly accepted: number;
  readonly rejected: readonly Rejection[];
}

export interface PublishPorts extends Pick<Ports, 'lanes' | 'catalogue' | 'clock' | 'report' | 'newId'> {
  readonly channels: Channels;
  readonly maxMessageBytes: number;
}

/**
 * Accepts events for delivery. Each is checked by itself: a bad one is rejected with its index, the others go on.
 * @param holder of the caller's key
 */
export async function publish(body: string, holder: KeyHolder, ports: PublishPorts): Promise<Receipt> {
  if (byteLength(body) > MAX_PUBLISH_BYTES) {
    throw new PushError(
      'PAYLOAD_TOO_LARGE',
      `a request may have ${MAX_PUBLISH_BYTES} bytes, its envelope included; send several requests, or less in one`,
      { limit_bytes: MAX_PUBLISH_BYTES },
    );
  }
  const request = v.safeParse(publishRequest, parseJson(body));
  if (!request.success) throw explain(request.issues, 'body');
  const { events, lane } = request.output;

  const accepted: { readonly index: number; readonly event: AcceptedEvent }[] = [];
  const rejected: Rejection[] = [];
  await bounded(events.entries(), 32, async ([index, event]) => {
    try {
      const known = await accept(event, index, holder, ports);
      accepted.push({ index, event: known.event });
      for (const { path, error } of known.refused) rejected.push({ index, path, error_code: error.code, error_message: error.message });
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      rejected.push({ index, error_code: error.code, error_message: error.message });
    }
  });
  accepted.sort((a, b) => a.index - b.index);
  if (rejected.length > 0) ports.report.count(METRIC.invalidEvents, rejected.length);
  for (const refused of await ports.lanes[lane].send(accepted.map(({ event }) => event))) {
    rejected.push({
      index: accepted[refused]?.index ?? -1,
      error_code: 'INTERNAL_SERVER_ERROR',
      error_message: 'the event was not taken; send it again',
    });
  }
  rejected.sort((a, b) => a.index - b.index);
  sayAccepted(accepted, rejected, events, lane, ports);
  return { accepted: events.length - rejected.filter(({ path }) => path === undefined).length, rejected };
}

/** One line for a request (`npm run trace`). */
function sayAccepted(
  accepted: readonly { readonly index: number; readonly event: AcceptedEvent }[],
  rejected: readonly Rejection[],
  events: readonly unknown[],
  lane: string,
  { report }: PublishPorts,
): void {
  const refused = rejected.map(({ index, error_message }) => ({
    id: (events[index] as { id?: unknown } | null)?.id,
    reason: error_message,
  }));
  const named = refused.filter(({ id }) => typeof id === 'string');
  report.info('accepted', { lane, ids: accepted.map(({ event }) => event.id), ...(named.length > 0 ? { rejected: named } : {}) });
}

async function accept(
  input: unknown,
  index: number,
  { source: allowed, agent }: KeyHolder,
  { channels, catalogue, clock, newId, maxMessageBytes }: PublishPorts,
): Promise<Pick<KnownEvent, 'event' | 'refused'>> {
  const parsed = v.safeParse(publishedEvent, input);
  if (!parsed.success) throw explain(parsed.issues, 'event');
  const { source, detailType, detail: given, id, time = null } = parsed.output;
  if (allowed !== EVERY_SOURCE && source !== allowed)
    throw new PushError('PERMISSION_DENIED', `this key publishes events of ${allowed}, and nothing else`);
  const detail = agent === null ? given : ofAgent(given, agent);
  checkSize(detail, maxMessageBytes);
  const event = { id: id ?? newId(), source, detailType, detail, time, acceptedAtMs: clock.now(), index };
  const known = checkEvent(event, channels);
  // an id that was accepted within a day keeps its first acceptance: the same event again is then the same, or older
  const first = id === undefined ? {} : await catalogue.firstAcceptance(id, { acceptedAtMs: event.acceptedAtMs, index });
  return { event: { ...known.event, ...first }, refused: known.refused };
}

/** An agent's event names it: nobody can publish in another's name. Throws if the event is of something that is not the agent's. */
function ofAgent(detail: Readonly<Record<string, unknown>>, { id, only }: AgentScope): Readonly<Record<string, unknown>> {
  for (const { field, values } of only) {
    const value = detail[field];
    if (value !== undefined && !values.includes(String(value)))
      throw new PushError(
        'PERMISSION_DENIED',
        `detail.${field}: agent ${id} publishes of ${values.join(', ') || 'none'}, and of nothing else`,
      );
  }
  return { ...detail, agent: id };
}
