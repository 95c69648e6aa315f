/** The agent under load and at rest: 100,000 lines at full speed, a minute without a network, and what it costs when nothing happens. */
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AgentHome, type AgentProcess, addAgent, agentHome } from '../helpers/agent.ts';
import { type Client, type Message, ofType } from '../helpers/client.ts';
import { type OwnRun, runWith } from '../helpers/local.ts';
import { shortLived } from '../helpers/short-lived.ts';
import { type SlowLink, slowLink } from '../helpers/slow-link.ts';

const LINES = 100_000;
const ROTATIONS = 3;
const CUT_MS = 60_000;
const IDLE_MS = 60_000;
/** Between two bursts, so that looks see some of the rotations half-way. */
const BREATH_MS = 200;

let own: OwnRun;
let home: AgentHome;
let agent: AgentProcess;
let network: SlowLink;
let reader: Client;
const dial = shortLived(afterAll);
beforeAll(async () => {
  [own, home] = await Promise.all([runWith({}), agentHome()]);
  const key = await addAgent(own.run, 'web-1', ['news']);
  network = await slowLink(own.url, 0);
  writeFileSync(log(), '');
  const service = { command: [process.execPath, '-e', 'setInterval(() => 0, 1e6)'] };
  home.config({ agent: 'web-1', url: network.url, key, logs: ['app.log'], services: { news: service } });
  reader = await dial(own.url);
  reader.send({ type: 'subscribe', data: { event_types: ['log_update'] } });
  await reader.until(ofType('subscribed'));
  agent = home.start();
  await agent.says('connected to');
}, 120_000);
afterAll(async () => {
  await home.remove();
  await network.stop();
  await own.run.stop();
});

const log = (): string => join(home.folder, 'app.log');
interface Entry {
  readonly message: string;
  readonly file: string;
  readonly offset: number;
}
const entriesOf = (message: Message): readonly Entry[] => (message['data'] as { entries: Entry[] }).entries;
const entries = (): Entry[] => reader.received.filter(ofType('log_update')).flatMap(entriesOf);
/** Waits until as many lines have come as were written; ten minutes at most. */
async function count(wanted: number): Promise<void> {
  const until = Date.now() + 600_000;
  while (entries().length < wanted && Date.now() < until) await sleep(500);
}
let written = 0;
const write = (lines: number): void => {
  const text = Array.from({ length: lines }, () => `2026-11-26 12:00:00 INFO app.jobs: order ${written++} was paid\n`);
  appendFileSync(log(), text.join(''));
};
/** Every line came once; in order within an update; sorted by offset each file is whole. */
function expectWhole(): void {
  const numbers = (some: readonly Entry[]): number[] => some.map(({ message }) => Number(message.split(' ')[1]));
  const all = numbers(entries());
  expect([all.length, new Set(all).size]).toEqual([written, written]);
  for (const update of reader.received.filter(ofType('log_update'))) {
    const offsets = entriesOf(update).map(({ offset }) => offset);
    expect(offsets.every((offset, index) => index === 0 || offset > (offsets[index - 1] as number))).toBe(true);
  }
  for (const file of new Set(entries().map((entry) => entry.file))) {
    const one = numbers(
      entries()
        .filter((entry) => entry.file === file)
        .toSorted((a, b) => a.offset - b.offset),
    );
    expect(one.every((number, index) => index === 0 || number === (one[index - 1] as number) + 1)).toBe(true);
  }
}
const status = (name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${agent.pid}/status`, 'utf8'))?.[1]) / 1024;
/** CPU time so far, in seconds: ticks of 10 ms. */
const cpuSeconds = (): number => {
  const line = readFileSync(`/proc/${agent.pid}/stat`, 'utf8');
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

test('100,000 lines over three rotations, with events twice and out of order, come once each', async () => {
  own.run.levers.duplicateEvents = 0.2;
  own.run.levers.reorderEventsMs = 50;
  const began = Date.now();
  for (let part = 0; part <= ROTATIONS; part++) {
    for (let burst = 0; burst < 10; burst++) {
      write(LINES / (ROTATIONS + 1) / 10);
      await sleep(BREATH_MS);
    }
    if (part === ROTATIONS) break;
    renameSync(log(), `${log()}.${part + 1}`);
    writeFileSync(log(), '');
  }
  await count(LINES);
  const updates = reader.received.filter(ofType('log_update')).length;
  console.log(
    `${written} lines in ${updates} updates, ${Math.round((Date.now() - began) / 1000)} s; peak ${status('VmHWM').toFixed(1)} MB`,
  );
  expectWhole();
  expect(updates).toBeLessThan(LINES / 50);
  expect(status('VmHWM')).toBeLessThan(100);
});

test('a minute without a network loses no line, whether connections break or only fall silent', { timeout: 600_000 }, async () => {
  for (const fall of ['breaks', 'falls silent']) {
    network.silence(true);
    if (fall === 'breaks') network.cut();
    for (let second = 0; second < CUT_MS / 1000; second++) {
      write(20);
      await sleep(1_000);
    }
    network.silence(false);
    await count(written);
    console.log(`a network that ${fall}: ${written} lines are there; ${status('VmRSS').toFixed(1)} MB`);
    expectWhole();
  }
});

test('an agent at rest takes less than one per cent of a processor', async () => {
  await sleep(10_000);
  const before = cpuSeconds();
  await sleep(IDLE_MS);
  const percent = ((cpuSeconds() - before) / (IDLE_MS / 1000)) * 100;
  console.log(`at rest: ${percent.toFixed(2)} % of a processor, ${status('VmRSS').toFixed(1)} MB`);
  expect(percent).toBeLessThan(1);
});
