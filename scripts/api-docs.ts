/** `npm run api-docs`: makes `docs/api/` from the validating schemas, and refuses a change that breaks callers. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiDocuments } from '../bin/api/documents.ts';
import { commandLine } from '../bin/command-line.ts';
import { systems } from '../systems/index.ts';
import { breaking } from './breaking.ts';

const FOLDER = join(import.meta.dirname, '../docs/api');

const USAGE = `usage: npm run api-docs -- [--check] [--breaking]
  --check      writes nothing; status 1 if a document is out of date, or a change breaks callers
  --breaking   writes the documents although a change breaks callers: say so in CHANGELOG.md`;

const { values } = commandLine(USAGE, { options: { check: { type: 'boolean' }, breaking: { type: 'boolean' } } });

const committed = (name: string): string | null => {
  try {
    return readFileSync(join(FOLDER, name), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
};

mkdirSync(FOLDER, { recursive: true });
for (const [name, document] of Object.entries(apiDocuments(systems))) {
  const text = `${JSON.stringify(document, null, 2)}\n`;
  const before = committed(name);
  if (before === text) continue;
  const broken = before === null || values.breaking ? [] : breaking(JSON.parse(before), document as Readonly<Record<string, unknown>>);
  for (const line of broken) console.error(`docs/api/${name}: ${line}`);
  if (broken.length > 0) console.error('this breaks callers: take it back, or npm run api-docs -- --breaking');
  else if (values.check) console.error(`docs/api/${name} is out of date: npm run api-docs`);
  if (values.check || broken.length > 0) process.exitCode = 1;
  else writeFileSync(join(FOLDER, name), text);
}
