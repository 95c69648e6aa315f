/**
 * The demo's operations: a real week of earthquakes as alerts, the state of this machine, and the functions' log lines
 * about their clients. It publishes through the public API, like every upstream.
 */
import { OPERATIONS, type OutgoingEvent, postEvents } from '../publisher.ts';
import type { DemoOptions } from './demo.ts';
import { alertOf, readEarthquakes, replay, strongestOnly } from './earthquakes.ts';
import type { Journal } from './journal.ts';
import { machineStatus, readProcessors } from './machine.ts';
import { repeat } from './repeat.ts';

const EVERY_MS = 2_000;
/** The week takes half an hour. */
const SPEED = 300;

export interface OperationsOptions extends DemoOptions {
  readonly journal: Journal;
  /** Number of services, if the demo tells of the machine itself; `null` = an agent does. */
  readonly services: number | null;
}

/** Starts publishing. Returns a function that stops it. */
export function startOperations({ url, key, warn, journal, services, clock }: OperationsOptions): () => Promise<void> {
  const began = clock.now();
  const due = replay(readEarthquakes(), SPEED);
  const alerts = strongestOnly();
  let processors = readProcessors();
  const status = async (count: number): Promise<OutgoingEvent> => {
    const before = processors;
    processors = readProcessors();
    return { source: OPERATIONS, detailType: 'StatusUpdated', detail: await machineStatus(before, processors, count) };
  };

  return repeat(clock, EVERY_MS, async (isStopped) => {
    const entries = journal.take();
    const events: OutgoingEvent[] = [
      ...(services === null ? [] : [await status(services)]),
      ...alerts(due(clock.now() - began), clock.now()).map(alertOf),
      ...(entries.length === 0 ? [] : [{ source: OPERATIONS, detailType: 'LogAppended', detail: { file_name: 'functions.log', entries } }]),
    ];
    if (events.length === 0) return;
    try {
      const { rejected } = await postEvents(url, key, events, 'direct');
      for (const { error_message } of rejected) warn(error_message);
    } catch (error) {
      if (!isStopped()) warn(error instanceof Error ? error.message : String(error));
    }
  });
}
