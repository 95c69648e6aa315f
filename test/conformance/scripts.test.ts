/** The conformance scripts, in Node: what every client may count on. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { sharedHost } from '../helpers/host.ts';
import { runScript } from './script.ts';

const host = sharedHost();
const scripts = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.jsonl'));

test.each(scripts)('%s', (name) => runScript(join(import.meta.dirname, name), host));
