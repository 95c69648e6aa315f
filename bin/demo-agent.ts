/** The demo's agent: on this very machine, with its own log and two small services. */
import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EVERY_SOURCE, formatRing } from '../core/events/key-ring.ts';
import { startAgent } from '../systems/operations/agent/agent.ts';
import { readConfig } from '../systems/operations/agent/config.ts';
import { AGENT_SOURCE, newKey, ownServices, sha256Of } from './publish-key.ts';

const AGENT = 'demo';
const SERVICE = join(import.meta.dirname, '../local/demo/service.js');
const SERVICES = {
  posco_news: { name: 'POSCO News', command: [process.execPath, SERVICE, 'posco_news', 'looked for news: nothing new', 'news % was read'] },
  price_cache: {
    name: 'Price cache',
    command: [process.execPath, SERVICE, 'price_cache', '% quotes are kept', 'an old quote was dropped'],
  },
};

/** This machine can have an agent. */
export const hasAgent = (): boolean => process.platform === 'linux';

/** A secret with the local key and the demo agent's own, made anew for each run. */
export function demoKeys(localKey: string): { readonly secret: string; readonly agentKey: string } {
  const agentKey = newKey();
  const made = new Date().toISOString();
  const agent = { id: AGENT, only: ownServices(Object.keys(SERVICES)) };
  const secret = formatRing([
    { source: EVERY_SOURCE, sha256: sha256Of(localKey), made },
    { source: AGENT_SOURCE, agent, sha256: sha256Of(agentKey), made },
  ]);
  return { secret, agentKey };
}

export interface DemoAgentOptions {
  readonly url: string;
  readonly key: string;
  /** Folder for what outlives the run; `null` = nothing does. */
  readonly dataDir: string | null;
  readonly warn: (message: string) => void;
}

/** Starts it. Returns what ends it, and its services. */
export async function startDemoAgent({ url, key, dataDir, warn }: DemoAgentOptions): Promise<() => Promise<void>> {
  const folder = dataDir === null ? mkdtempSync(join(tmpdir(), 'push-demo-agent-')) : join(dataDir, 'agent');
  mkdirSync(folder, { recursive: true });
  const ownLog = join(folder, 'agent.log');
  const stream = createWriteStream(ownLog, { flags: 'a' });
  const config = readConfig(JSON.stringify({ agent: AGENT, url, key, every: 2, logs: [ownLog], services: SERVICES }));
  const agent = await startAgent({
    config,
    state: join(folder, 'state'),
    configFile: null,
    environment: process.env,
    log(level, message) {
      stream.write(`${new Date().toISOString()} ${level} agent: ${message}\n`);
      if (level === 'ERROR') warn(`agent: ${message}`);
    },
  });
  return async () => {
    await agent.stop({ withServices: true });
    await new Promise<void>((done) => stream.end(done));
    if (dataDir === null) rmSync(folder, { recursive: true, force: true });
  };
}
