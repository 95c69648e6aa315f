/** The end of a whole run of the suites: each grant of a function's role must have allowed something in one of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The grants that no test file used. `folder`: a file with used grants for each local run. */
export function unusedGrants(all: readonly string[], folder: string): string[] {
  const used = new Set(readdirSync(folder).flatMap((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as string[]));
  return all.filter((grant) => !used.has(grant));
}
