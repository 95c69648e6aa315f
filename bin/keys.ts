/** `npm run keys`: the keys that may publish, of a deployment or of the local run. */
import './node-version.ts';
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { sourcesOf } from '../core/channels/channels.ts';
import {
  addKey,
  EVERY_SOURCE,
  formatRing,
  holderName,
  idOf,
  type KeyRing,
  type RingKey,
  readRing,
  revokeKey,
  rotateKey,
} from '../core/events/key-ring.ts';
import { commandLine } from './command-line.ts';
import { AGENT_SOURCE, newKey, ownServices, sha256Of } from './publish-key.ts';
import { outputOf, type StackTarget, stackTarget, TARGET_OPTIONS, TARGET_USAGE } from './stack-target.ts';
import { loadSystems, systemsModule } from './systems.ts';

const USAGE = `usage: npm run --silent keys -- list             every key's id, source and time
       npm run --silent keys -- add SOURCE       a first key for a source, such as ticket.reservation; ${EVERY_SOURCE} = every source
       npm run --silent keys -- rotate SOURCE    a new key; the one before stays valid until the next rotation
       npm run --silent keys -- add --agent ID --services A,B   the key of an agent: it publishes of its services alone
       npm run --silent keys -- rotate --agent ID [--services A,B]
       npm run --silent keys -- revoke ID        a key counts no longer, within a minute
${TARGET_USAGE}
a key is printed once, and kept as a digest`;

type Stage = 'AWSCURRENT' | 'AWSPREVIOUS';

/** The keys of a version of the secret: a new deployment's one plain key is a ring of one. */
async function readStage(SecretId: string, secrets: SecretsManagerClient, VersionStage: Stage): Promise<{ keys: KeyRing; text: string }> {
  const { SecretString = '', CreatedDate } = await secrets.send(new GetSecretValueCommand({ SecretId, VersionStage }));
  const made = (CreatedDate ?? new Date(0)).toISOString();
  return { text: SecretString, keys: readRing(SecretString) ?? [{ source: EVERY_SOURCE, sha256: sha256Of(SecretString), made }] };
}

const read = async (secretId: string, secrets: SecretsManagerClient): Promise<KeyRing> =>
  (await readStage(secretId, secrets, 'AWSCURRENT')).keys;

function print(keys: KeyRing): void {
  console.log(`${'id'.padEnd(10)}${'holder'.padEnd(24)}made`);
  for (const key of keys)
    console.log(`${idOf(key).padEnd(10)}${holderName(key).padEnd(24)}${key.made.startsWith('1970') ? 'with the deployment' : key.made}`);
}

async function checkSource(source: string): Promise<void> {
  const systems = await loadSystems(systemsModule(process.env));
  const sources = sourcesOf(systems.flatMap(({ channels }) => channels));
  if (source === EVERY_SOURCE || sources.includes(source)) return;
  throw new Error(`no channel has the source ${JSON.stringify(source)}; there are ${[...sources, `"${EVERY_SOURCE}"`].join(', ')}`);
}

/** Changes of others that come in between are taken up so often. */
const MOST_TRIES = 5;

/** Changes the keys. If somebody else changed them in the same moment, that change is taken up, and ours made anew. */
async function replace(secretId: string, secrets: SecretsManagerClient, change: (keys: KeyRing) => KeyRing): Promise<KeyRing> {
  let { keys, text } = await readStage(secretId, secrets, 'AWSCURRENT');
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const left = change(keys);
    const written = formatRing(left);
    await secrets.send(new PutSecretValueCommand({ SecretId: secretId, SecretString: written }));
    // the version that ours has replaced
    const before = await readStage(secretId, secrets, 'AWSPREVIOUS');
    if (before.text === text || before.text === written) return left;
    ({ keys } = before);
    text = written;
  }
  throw new Error('the keys are being changed all the time: look at the list, and try again');
}

/** The holder that a command names: a source, or an agent. `services`: those of an agent; without them, those it has. */
function holderOf(operand: string, { agent, services }: AgentOptions, keys: KeyRing): Pick<RingKey, 'source' | 'agent'> {
  if (agent === undefined) return { source: operand };
  const before = keys.findLast((key) => key.agent?.id === agent)?.agent?.only;
  const only = services === undefined ? before : ownServices(services.split(',').map((one) => one.trim()));
  if (!only) throw new Error('--services: expected the ids of its services, such as posco_news,cache');
  return { source: AGENT_SOURCE, agent: { id: agent, only } };
}

interface AgentOptions {
  readonly agent?: string | undefined;
  readonly services?: string | undefined;
}

async function change(word: string, operand: string, options: AgentOptions, target: StackTarget): Promise<void> {
  const secretId = await outputOf('PublishKeySecret', target);
  const secrets = new SecretsManagerClient(target.client);
  try {
    if (word === 'list') return print(await read(secretId, secrets));
    if (word !== 'revoke') await checkSource(options.agent === undefined ? operand : AGENT_SOURCE);
    const key = newKey();
    const left = await replace(secretId, secrets, (keys) => {
      if (word === 'revoke') return revokeKey(keys, operand);
      const added: RingKey = { ...holderOf(operand, options, keys), sha256: sha256Of(key), made: new Date().toISOString() };
      return word === 'add' ? addKey(keys, added) : rotateKey(keys, added);
    });
    if (word !== 'revoke') console.log(key);
    else if (!left.some(({ source }) => source === EVERY_SOURCE))
      console.error(
        `no key for every source is left: who publishes with one is refused within a minute (on the local run the demo too), and users cannot be disconnected; npm run keys -- add '${EVERY_SOURCE}'`,
      );
  } finally {
    secrets.destroy();
  }
}

const WORDS = ['list', 'add', 'rotate', 'revoke'];

async function main(): Promise<void> {
  const { values, positionals } = commandLine(USAGE, {
    options: { ...TARGET_OPTIONS, agent: { type: 'string' }, services: { type: 'string' } },
    allowPositionals: true,
  });
  const [word = '', operand, ...rest] = positionals;
  const isOfAgent = values.agent !== undefined && (word === 'add' || word === 'rotate');
  const needed = word === 'list' || isOfAgent ? undefined : word === 'revoke' ? 'ID' : 'SOURCE';
  if (values.agent !== undefined && !/^[\w.-]{1,64}$/.test(values.agent))
    throw new Error(`--agent: expected letters, digits, _ . -, got ${JSON.stringify(values.agent)}`);
  if (!WORDS.includes(word) || rest.length > 0 || (operand === undefined) !== (needed === undefined))
    throw new Error(`${WORDS.includes(word) ? `${word}: expected ${needed ?? 'nothing more'}` : `expected ${WORDS.join(', ')}`}\n${USAGE}`);
  await change(word, operand ?? '', values, stackTarget(values, process.env));
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
