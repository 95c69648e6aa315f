import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient, ListTablesCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { inject } from 'vitest';
import { assemble } from '../../bin/assemble.ts';
import { readSettings } from '../../bin/settings.ts';
import { type LocalRun, startLocal } from '../../local/run.ts';
import { systems } from '../../systems/index.ts';
import { type Host, hostAt } from './host.ts';
import { NO_SESSION_TODAY } from './market.ts';
import { PROCESS_MS, within } from './within.ts';

/** A caller that is no function acts as the owner of the account. */
export const OWNER = { region: 'local', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };

export interface OwnRun extends Host {
  readonly run: LocalRun;
  readonly logs: string[];
}

/** A local run under other settings, for one test file. */
export async function runWith(settings: Record<string, string>): Promise<OwnRun> {
  // the functions are bundled already, once for all test files
  const assembly = await assemble({
    settings: readSettings({ APP_PUSH_MODE: 'both', FRONT_DOOR: 'on', ...NO_SESSION_TODAY, ...settings }, systems),
    systems,
    bundled: true,
  });
  const own = await ownRun({ templateFile: assembly.templateFile });
  const stop = async (): Promise<void> => {
    await own.run.stop();
    assembly.remove();
  };
  return { ...own, run: { ...own.run, stop } };
}

/** A local run for one test file, with its levers and its clock. */
export async function ownRun(
  options: {
    dataDir?: string;
    seed?: number;
    templateFile?: string;
    /** The longest that `run.settled()` may take. */
    settleMs?: number;
    /** The newest log lines that are kept. @default 10,000 */
    lines?: number;
  } = {},
): Promise<OwnRun> {
  const { lines = 10_000 } = options;
  const logs: string[] = [];
  const run = await startLocal({
    templateFile: options.templateFile ?? inject('templateFile'),
    port: 0,
    awsPort: 0,
    dataDir: options.dataDir ?? null,
    secret: inject('publishKey'),
    seed: options.seed ?? 1,
    log(name, line) {
      logs.push(`${name}: ${line}`);
      if (logs.length > lines) logs.splice(0, lines / 2);
    },
  });
  const settled = (): Promise<void> => within(run.settled(), 'the work of the run to end', () => logs, options.settleMs ?? PROCESS_MS);
  const stop = async (): Promise<void> => {
    await noteGrants(run);
    await run.stop();
  };
  return { ...hostAt(run.url, inject('publishKey')), run: { ...run, settled, stop }, logs };
}

/** The client with which an upstream puts events onto the bus. */
export const busClient = (run: LocalRun): EventBridgeClient => new EventBridgeClient({ ...OWNER, endpoint: run.awsUrl, maxAttempts: 1 });

/** Leaves what the functions were allowed to do, for the look at the end of the suites (`test/setup/grants.ts`). */
async function noteGrants(run: LocalRun): Promise<void> {
  const { used } = await run.grants();
  writeFileSync(join(inject('grantsFolder'), `${randomUUID()}.json`), JSON.stringify(used));
}

/** A client of a run's tables, with the rights of their owner. */
export const tablesClient = (run: LocalRun): DynamoDBClient => new DynamoDBClient({ ...OWNER, endpoint: run.tablesEndpoint });

/** The messages in the dead-letter queues of a run. */
export const deadLettersOf = (run: LocalRun) =>
  [...run.queues.values()].filter(({ onVisible }) => onVisible === null).flatMap((queue) => queue.peek());

/** Every item in every table of a run. */
export async function itemsOf(run: LocalRun): Promise<Record<string, unknown>[]> {
  const client = tablesClient(run);
  try {
    const { TableNames = [] } = await client.send(new ListTablesCommand({}));
    const items: Record<string, unknown>[] = [];
    for (const TableName of TableNames)
      for await (const { Items = [] } of paginateScan({ client }, { TableName })) items.push(...Items.map((item) => unmarshall(item)));
    return items;
  } finally {
    client.destroy();
  }
}

/** Sets a run's clock forward to this weekday and time in Seoul, on a later day than today. */
export function setClockTo(run: LocalRun, { weekday, hour, minute }: { weekday: number; hour: number; minute: number }): void {
  const seoul = run.clock.now() + 9 * 3_600_000;
  const midnight = Math.floor(seoul / 86_400_000) * 86_400_000;
  const today = new Date(midnight).getUTCDay();
  const days = (weekday - today + 7) % 7 || 7;
  run.clock.advance(midnight + days * 86_400_000 + (hour * 60 + minute) * 60_000 - seoul);
}
