import { isoOf } from '../../core/base/time.ts';
import type { WorkerPorts } from '../../core/channels/system.ts';

/** An event of a worker's own. */
export interface OwnEvent {
  /** The same again is the same event. */
  readonly id: string;
  readonly source: string;
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Publishes an event. Throws if it was not taken: the work comes back. */
export async function publish(event: OwnEvent, lane: 'bus' | 'direct', { lanes, clock }: WorkerPorts): Promise<void> {
  const nowMs = clock.now();
  const refused = await lanes[lane].send([{ ...event, time: isoOf(nowMs), acceptedAtMs: nowMs, index: 0 }]);
  if (refused.length > 0) throw new Error(`${event.detailType} was not taken`);
}
