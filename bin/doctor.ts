/** `npm run doctor`: is a deployment well? From outside by a canary event, and with its stack by its resources. */
import './node-version.ts';
import { commandLine, printable } from './command-line.ts';
import { DEPLOYED_OPTIONS, deployedAt } from './deployed.ts';
import { examine } from './doctor/examine.ts';

const USAGE = `usage: npm run --silent doctor                  the local run
       npm run --silent doctor -- --url URL     a deployment, from outside
       npm run --silent doctor -- --stack NAME  a deployment, from outside and by its resources, with your AWS credentials
options: --url URL         the address of everything, or of the API (or PUSH_URL)
         --socket-url URL  the WebSocket's, if it has its own
         --stream-url URL  the event streams', if they have their own
         --key KEY         the publish key (or PUSH_KEY); with --stack it is read if it is the deployment's first
         --token JWT       a user's, if the deployment asks for one (or PUSH_TOKEN)
         --wait 10         seconds that a canary may take
the local run is found at AWS_PORT (4567), its page at PORT (8000)
ends with status 1 if something is bad`;

const MARK = { ok: 'ok  ', bad: 'BAD ', note: 'note' } as const;

async function main(): Promise<void> {
  const { values } = commandLine(USAGE, {
    options: {
      ...DEPLOYED_OPTIONS,
      wait: { type: 'string', default: '10' },
    },
  });
  if (!/^[1-9]\d{0,2}$/.test(values.wait)) throw new Error(`--wait: expected whole seconds, 1 to 999, got ${JSON.stringify(values.wait)}`);
  let troubles = 0;
  let canaries = 0;
  const options = { waitMs: Number(values.wait) * 1000, environment: process.env };
  for await (const { check, outcome, says } of examine(await deployedAt(values, process.env), options)) {
    console.log(printable(`${MARK[outcome]}  ${check}: ${says}`));
    if (outcome === 'bad') troubles += 1;
    if (outcome === 'ok' && check.startsWith('canary')) canaries += 1;
  }
  console.log(troubles > 0 ? `${troubles} bad` : canaries > 0 ? 'well' : 'nothing bad, but no canary was delivered: see the notes');
  if (troubles > 0) process.exitCode = 1;
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
