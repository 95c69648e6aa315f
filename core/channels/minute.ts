import { METRIC } from '../names.ts';
import type { MinutePorts, System } from './system.ts';

export interface MinuteLookPorts extends MinutePorts {
  readonly systems: readonly System[];
}

/** Each system's look, once a minute. One that fails does not stop the others; the first failure is thrown in the end, so that it is counted. */
export async function minuteLooks({ systems, ...ports }: MinuteLookPorts): Promise<void> {
  const outcomes = await Promise.allSettled(systems.map(async (system) => system.everyMinute?.(ports)));
  const failures = outcomes.flatMap((outcome, index) =>
    outcome.status === 'rejected' ? [{ system: systems[index]?.name, error: outcome.reason as unknown }] : [],
  );
  for (const { system, error } of failures) {
    ports.report.error("a system's look failed", error, { system });
    ports.report.count(METRIC.errors);
  }
  if (failures[0]) throw failures[0].error;
}
