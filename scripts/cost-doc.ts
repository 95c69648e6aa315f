/** `npm run cost-doc`: makes `docs/cost-and-scale.md`; with `--check` only says whether it is up to date. */
import '../bin/node-version.ts';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assemble } from '../bin/assemble.ts';
import { commandLine } from '../bin/command-line.ts';
import { OPEN_DEFAULTS } from '../bin/local-settings.ts';
import { readSettings } from '../bin/settings.ts';
import { readTemplate } from '../local/base/template.ts';
import { systems } from '../systems/index.ts';
import { costPage } from './cost/page.ts';
import type { Parts } from './cost/usage.ts';

const FILE = join(import.meta.dirname, '../docs/cost-and-scale.md');

/** Counts of the template of a whole deployment. */
async function partsOf(): Promise<Parts> {
  const bundles = mkdtempSync(join(tmpdir(), 'realtime-push-bundles-'));
  const assembly = await assemble({ settings: readSettings({ ...OPEN_DEFAULTS }, systems), systems, bundles });
  try {
    const template = readTemplate(assembly.templateFile);
    const count = (type: string): number => template.ofType(type).length;
    return {
      polledQueues: count('AWS::Lambda::EventSourceMapping'),
      alarms: count('AWS::CloudWatch::Alarm'),
      dashboards: count('AWS::CloudWatch::Dashboard'),
      secrets: count('AWS::SecretsManager::Secret'),
    };
  } finally {
    assembly.remove();
    rmSync(bundles, { recursive: true });
  }
}

const USAGE = `usage: npm run cost-doc -- [--check]
  --check   writes nothing; status 1 if the page is out of date`;
const { values } = commandLine(USAGE, { options: { check: { type: 'boolean' } } });
const page = costPage(await partsOf());
if (!values.check) writeFileSync(FILE, page);
else if (readFileSync(FILE, 'utf8') !== page) {
  console.error('docs/cost-and-scale.md is out of date: npm run cost-doc');
  process.exitCode = 1;
}
