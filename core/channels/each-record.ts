import { bounded } from '../base/concurrency.ts';
import { cut } from '../base/text.ts';
import { PoisonError } from '../errors.ts';
import { METRIC } from '../names.ts';
import type { WorkRecord } from '../ports/jobs.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Serves the JSON of queue records, side by side. A failure is reported with `message`, and the record's text as the fact
 * `name`, unless that is `null`. A record that can never be served goes to the dead-letter queue at once, and counts as an error. Returns the ids of
 * those that must come back.
 */
export async function serveEach(
  records: readonly WorkRecord[],
  serve: (work: unknown) => Promise<void>,
  { deadLetters, report }: Pick<Ports, 'deadLetters' | 'report'>,
  { message, name }: { readonly message: string; readonly name: string | null },
): Promise<string[]> {
  const failed: string[] = [];
  const quoted = (body: string): Record<string, unknown> => (name === null ? {} : { [name]: cut(body, 300) });
  const serveOrBury = async (body: string): Promise<void> => {
    try {
      await serve(jsonOf(body));
    } catch (error) {
      if (!(error instanceof PoisonError)) throw error;
      await deadLetters.bury(body, error.message);
      report.count(METRIC.errors);
      report.warn('a record was buried', { reason: error.message, ...quoted(body) });
    }
  };
  await bounded(records, records.length, async ({ id, body }) => {
    try {
      await serveOrBury(body);
    } catch (error) {
      report.error(message, error, quoted(body));
      report.count(METRIC.errors);
      failed.push(id);
    }
  });
  return failed;
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new PoisonError('not JSON');
  }
}
