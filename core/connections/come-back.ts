/**
 * Asks every client to come back at a moment of its own: before a deployment is drained or moved, so that its clients do not
 * all return at once. The request is kept as a note; the next sweep, which reads every connection anyway, serves it.
 */
import * as v from 'valibot';
import { wholeNumber } from '../base/numbers.ts';
import { jsonObject, optional, parseJson } from '../base/validation.ts';
import { PushError } from '../errors.ts';
import type { Connection } from '../ports/connections.ts';
import type { Ports } from '../ports/ports.ts';

/** Name of the note. */
const NOTE = 'reconnect';

/** New connections are accepted at 500 a second (a quota of API Gateway): returning clients take four fifths of it at most. */
const CONNECTS_PER_SECOND = 400;

/** The shortest window by default, and the longest that may be asked for, in ms. */
const SHORTEST_MS = 30_000;
const LONGEST_MS = 3_600_000;

const duration = v.pipe(wholeNumber, v.maxValue(LONGEST_MS));

/** Schema of the request. */
export const comeBackRequest = v.pipe(jsonObject, v.object({ after_ms: optional(duration), within_ms: optional(duration) }));

const note = v.object({ at: wholeNumber, afterMs: wholeNumber, withinMs: wholeNumber });

async function readNote(catalogue: Ports['catalogue']): Promise<v.InferOutput<typeof note> | null> {
  const kept = v.safeParse(note, await catalogue.status(NOTE));
  return kept.success ? kept.output : null;
}

/** Connections to ask, and the window. */
export interface ComeBack {
  /** When it was asked for. */
  readonly at: number;
  readonly connectionIds: readonly string[];
  readonly afterMs: number;
  readonly withinMs: number;
}

/** Keeps the request. Returns what clients will be asked, and how many there are, about. */
export async function serveComeBack(
  body: string,
  { connections, catalogue, clock }: Pick<Ports, 'connections' | 'catalogue' | 'clock'>,
): Promise<object> {
  const given = v.safeParse(comeBackRequest, body === '' ? {} : parseJson(body));
  if (!given.success)
    throw new PushError('INVALID_MESSAGE_FORMAT', `expected {"after_ms", "within_ms"}, each optional, whole and from 0 to ${LONGEST_MS}`);
  const { count } = await connections.counted();
  const afterMs = given.output.after_ms ?? 0;
  const withinMs = given.output.within_ms ?? Math.min(LONGEST_MS, Math.max(SHORTEST_MS, Math.ceil((count * 1000) / CONNECTS_PER_SECOND)));
  await catalogue.saveStatus(NOTE, { at: clock.now(), afterMs, withinMs });
  return { connections: count, after_ms: afterMs, within_ms: withinMs };
}

/** The connections that were open when it was asked for; `null` = it was not. Only JSON has a message for it. */
export async function whoComesBack(open: readonly Connection[], { catalogue }: Pick<Ports, 'catalogue'>): Promise<ComeBack | null> {
  const kept = await readNote(catalogue);
  if (!kept) return null;
  const { at, afterMs, withinMs } = kept;
  const asked = open.filter(({ dialect, connectedAtMs }) => dialect === 'json' && connectedAtMs <= at);
  return { at, connectionIds: asked.map(({ connectionId }) => connectionId), afterMs, withinMs };
}

/** It was served: the next sweep asks nobody again, unless it was asked for anew meanwhile. */
export async function forgetComeBack({ at }: ComeBack, { catalogue }: Pick<Ports, 'catalogue'>): Promise<void> {
  if ((await readNote(catalogue))?.at === at) await catalogue.saveStatus(NOTE, {});
}
