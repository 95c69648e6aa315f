/** `node lint-asyncapi.mjs FILE`: AsyncAPI's parser on a document. `lint.sh` runs it beside the parser. */
import { readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';

const [, , file = ''] = process.argv;
const found = await new Parser().validate(readFileSync(file, 'utf8'));
for (const { path, message, code } of found) console.error(`${file}: ${path.join('.')}: ${message} (${code})`);
console.log(`${file}: ${found.length} problems`);
if (found.length > 0) process.exitCode = 1;
