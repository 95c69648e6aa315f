/** `npm run probe`: what a real account does where documents do not say, as a table to send back. */
import './node-version.ts';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { CANARY } from '../core/channels/canary.ts';
import { commandLine, printable } from './command-line.ts';
import { DEPLOYED_OPTIONS, deployedAt } from './deployed.ts';
import { type Probed, publishOne, withStomp } from './probe/fact.ts';
import { probe } from './probe/run.ts';

const USAGE = `usage: npm run --silent probe -- --stack NAME    facts of the platform, on a deployment, with your AWS credentials
       npm run --silent probe -- --url URL       those that need none
       npm run --silent probe                    on the local run, which behaves as we believe the platform does
options: --url URL, --socket-url URL, --stream-url URL, --key KEY, --token JWT   as npm run doctor has them
         --busy 60         seconds for which one topic never rests
         --idle            also what keeps a connection open: 12 minutes, and IDLE_TIMEOUT_SECONDS=1800 there
prints a Markdown table: send it back as an issue, with the region`;

async function main(): Promise<void> {
  const { values } = commandLine(USAGE, {
    options: {
      ...DEPLOYED_OPTIONS,
      busy: { type: 'string', default: '60' },
      idle: { type: 'boolean', default: false },
    },
  });
  if (!/^[1-9]\d{0,3}$/.test(values.busy)) throw new Error(`--busy: expected seconds from 1 up, got ${JSON.stringify(values.busy)}`);
  const { target, key, sources, ...addresses } = await deployedAt(values, process.env);
  if (key === null) throw new Error('--key: the publish key is needed, for every source');
  const probed = { ...addresses, key, user: userOf(addresses.token), source: sources[0] ?? '' };
  await checkIdentity(probed);
  const idleClock = values.idle ? { now: Date.now, wait: (ms: number) => pause(ms) } : null;
  console.log('| fact | assumed | seen | |\n| --- | --- | --- | --- |');
  const mark = { true: 'as assumed', false: '**differs**', null: 'measured' } as const;
  for await (const { fact, assumed, seen, agrees } of probe(probed, { target, idleClock, busySeconds: Number(values.busy) }))
    console.log(`| ${[fact, assumed, seen, mark[`${agrees}`]].map((cell) => printable(cell).replaceAll('|', '\\|')).join(' | ')} |`);
}

/** The user of a token; any number where there is none. */
function userOf(token: string | null): string {
  if (token === null) return '1';
  const { sub } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as { sub?: string };
  return sub ?? '1';
}

/** Throws if the key or the token is not valid: what follows from that is no fact of the platform. */
async function checkIdentity(probed: Probed): Promise<void> {
  try {
    await withStomp(probed, async () => undefined);
  } catch (error) {
    throw new Error(`${probed.socket}: ${(error as Error).message}. If it asks for a token, give it a user's (--token)`);
  }
  await publishOne({ source: probed.source, detailType: CANARY, detail: { id: randomUUID() } }, probed).catch((error: Error) => {
    throw new Error(`${probed.api}/internal/events: ${error.message}. --key must be a key for every source`);
  });
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
