import { bounded } from '../base/concurrency.ts';
import { cut } from '../base/text.ts';
import { METRIC } from '../names.ts';
import type { WorkRecord } from '../ports/jobs.ts';
import type { Report } from '../ports/report.ts';

/**
 * Serves the JSON of queue records, side by side. A failure is reported with `message`, and the record's text as the fact
 * `name`. Returns the ids of the records that must come back.
 */
export async function serveEach(
  records: readonly WorkRecord[],
  serve: (work: unknown) => Promise<void>,
  report: Report,
  { message, name }: { readonly message: string; readonly name: string },
): Promise<string[]> {
  const failed: string[] = [];
  await bounded(records, records.length, async ({ id, body }) => {
    try {
      await serve(JSON.parse(body));
    } catch (error) {
      report.error(message, error, { [name]: cut(body, 300) });
      report.count(METRIC.errors);
      failed.push(id);
    }
  });
  return failed;
}
