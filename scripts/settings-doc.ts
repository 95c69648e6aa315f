/** `npm run settings-doc`: makes `docs/settings.md` from the definitions; with `--check` only says whether it is up to date. */
import '../bin/node-version.ts';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { commandLine } from '../bin/command-line.ts';
import { LOCAL_SETTINGS } from '../bin/local-settings.ts';
import { ENGINE_SETTINGS } from '../core/engine-settings.ts';
import type { Setting } from '../core/settings.ts';
import { systems } from '../systems/index.ts';

const FILE = fileURLToPath(new URL('../docs/settings.md', import.meta.url));

const row = ({ name, fallback, doc }: Setting): string => `| \`${name}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${doc} |`;
const table = (head: string, rows: readonly string[]): string => [head, head.replace(/[^|]+/g, ' --- '), ...rows].join('\n');

const document = `# Settings

Settings are environment variables, read when the template is made: by \`npm start\`, \`npm run synth\` and \`npm run deploy\` alike. A value that cannot be used stops the command with a message that names it; without identity, a template for any stage but \`local\` also asks for \`ALLOW_ANONYMOUS=true\`.

\`npm run settings-doc\` makes this page from \`core/engine-settings.ts\` and the systems' definitions.

## Engine

${table('| setting | default | |', ENGINE_SETTINGS.map(row))}

${systems
  .filter(({ settings }) => settings.length > 0)
  .map(({ name, settings }) => `## System \`${name}\`\n\n${table('| setting | default | |', settings.map(row))}`)
  .join('\n\n')}

## Local run

\`npm start\` reads these too, from its environment or as options: \`npm start -- --port 9000\`.

${table('| variable | option | default | |', [
  ...LOCAL_SETTINGS.map(
    ({ name, option, fallback, doc }) => `| \`${name}\` | \`--${option}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${doc} |`,
  ),
  '| `SYSTEMS` | | `systems/index.ts` | the module that lists the systems; `synth` and `deploy` read it too |',
])}

\`npm run deploy:local\` has the same defaults as \`npm start\`, and reads \`EMULATOR\`, \`AWS_ENDPOINT_URL\` and \`PORT\` (8001 there); its \`--help\` has its options.

\`npm run publish\` and \`npm run token\` read \`PUSH_URL\` (the address), \`PUSH_KEY\` (the publish key) and \`PUSH_TOKEN\` where their options \`--url\`, \`--key\` and \`--token\` are not given.

## Metrics

Namespace \`RealtimePush\`. Systems add:

${table(
  '| metric | system | counts |',
  systems.flatMap(({ name, metrics }) => Object.entries(metrics).map(([metric, counts]) => `| \`${metric}\` | ${name} | ${counts} |`)),
)}
`;

const USAGE = `usage: npm run settings-doc -- [--check]
  --check   writes nothing; status 1 if the page is out of date`;
const { values } = commandLine(USAGE, { options: { check: { type: 'boolean' } } });
if (!values.check) writeFileSync(FILE, document);
else if (readFileSync(FILE, 'utf8') !== document) {
  console.error('docs/settings.md is out of date: npm run settings-doc');
  process.exitCode = 1;
}
