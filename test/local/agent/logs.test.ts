/** Log lines through the agent as a process: every line once, whatever happens on the way. */
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type AgentHome, type AgentProcess, addAgent, agentHome } from '../../helpers/agent.ts';
import { type Client, type Message, ofType } from '../../helpers/client.ts';
import { type OwnRun, runWith } from '../../helpers/local.ts';
import { shortLived } from '../../helpers/short-lived.ts';
import { within } from '../../helpers/within.ts';

const here = describe.skipIf(process.platform !== 'linux');

let own: OwnRun;
let key: string;
beforeAll(async () => {
  own = await runWith({});
  key = await addAgent(own.run, 'web-1', ['news']);
}, 120_000);
afterAll(() => own.run.stop());

interface Entry {
  readonly message: string;
  readonly file: string;
  readonly offset: number;
  readonly level: string;
}

let home: AgentHome;
let agent: AgentProcess;
let log: string;
let reader: Client;
const dial = shortLived();
beforeEach(async () => {
  home = await agentHome();
  log = join(home.folder, 'app.log');
  writeFileSync(log, 'from before\n');
  home.config({ agent: 'web-1', url: own.url, key, logs: ['app.log'] });
  reader = await dial(own.url);
  reader.send({ type: 'subscribe', data: { event_types: ['log_update'] } });
  await reader.until(ofType('subscribed'));
  agent = home.start();
  await agent.says('connected to');
});
afterEach(async () => {
  own.run.levers.duplicateEvents = 0;
  own.run.levers.reorderEventsMs = 0;
  await home.remove();
});

const updates = (): Message[] => reader.received.filter(ofType('log_update'));
const entriesOf = (message: Message): readonly Entry[] => (message['data'] as { entries: Entry[] }).entries;
const entries = (): Entry[] => updates().flatMap(entriesOf);
/** As a reader that wants the file whole has them. */
const sorted = (): string[] => {
  const files = [...new Set(entries().map(({ file }) => file))];
  return entries()
    .toSorted((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.offset - b.offset)
    .map(({ message }) => message);
};
const write = (from: number, to: number): void =>
  appendFileSync(
    log,
    Array.from({ length: to - from }, (_, index) => `2026-11-26 12:00:00,123 WARNING app: line ${from + index}\n`).join(''),
  );
const rotate = (number: number): void => {
  renameSync(log, `${log}.${number}`);
  writeFileSync(log, '');
};
const count = async (wanted: number, ms = 60_000): Promise<void> => {
  const there = async (): Promise<void> => {
    while (entries().length < wanted) await reader.until(ofType('log_update'));
  };
  await within(there(), `${wanted} lines`, () => [entries().length], ms);
};

here('log lines', () => {
  test('come with their parts, from where the agent began', async () => {
    write(0, 3);
    await count(3);
    expect(updates()[0]).toMatchObject({ data: { file_name: 'app.log' } });
    expect(entries()[0]).toMatchObject({ level: 'WARNING', logger_name: 'app', message: 'line 0', offset: 'from before\n'.length });
    expect(sorted()).toEqual(['line 0', 'line 1', 'line 2']);
  });

  test('come once each, in order within an update, over rotations, with events twice and out of order', async () => {
    own.run.levers.duplicateEvents = 0.3;
    own.run.levers.reorderEventsMs = 20;
    for (let part = 0; part < 4; part++) {
      write(part * 500, (part + 1) * 500);
      if (part < 3) rotate(part + 1);
      await count((part + 1) * 250);
    }
    await count(2_000);
    await own.run.settled();
    const messages = entries().map(({ message }) => message);
    expect([messages.length, new Set(messages).size]).toEqual([2_000, 2_000]);
    for (const update of updates()) {
      const offsets = entriesOf(update).map(({ offset }) => offset);
      expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
    }
    for (const file of new Set(entries().map((entry) => entry.file))) {
      const lines = entries().filter((entry) => entry.file === file);
      const numbers = lines.toSorted((a, b) => a.offset - b.offset).map(({ message }) => Number(message.split(' ')[1]));
      expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => (numbers[0] ?? 0) + index));
    }
  });

  test('come once each though the agent is killed again and again', async () => {
    for (let part = 0; part < 5; part++) {
      write(part * 1_000, (part + 1) * 1_000);
      await count(part * 1_000 + 1);
      agent.signal('SIGKILL');
      await agent.ended;
      agent = home.start();
    }
    await count(5_000);
    await own.run.settled();
    expect(sorted()).toEqual(Array.from({ length: 5_000 }, (_, index) => `line ${index}`));
  });

  test('wait on disk while the server is away, and none is lost', async () => {
    own.run.levers.concurrency.account = 0;
    write(0, 1_000);
    await agent.says('publishing failed, and is tried again: 503');
    rotate(1);
    write(1_000, 2_000);
    own.run.levers.concurrency.account = 1_000;
    await count(2_000);
    expect(sorted()).toEqual(Array.from({ length: 2_000 }, (_, index) => `line ${index}`));
    await agent.says('publishing works again');
  });

  test('of a service come from its output', async () => {
    const code = "console.log('2026-11-26 12:00:00 ERROR it is late'); setInterval(() => 0, 1e6)";
    home.config({ agent: 'web-1', url: own.url, key, services: { news: { command: [process.execPath, '-e', code] } } });
    agent.signal('SIGHUP');
    await count(1);
    expect(updates()[0]).toMatchObject({ data: { file_name: 'news.log', entries: [{ level: 'ERROR', message: 'it is late' }] } });
    expect(readFileSync(join(home.state, 'services', 'news.log'), 'utf8')).toContain('it is late');
  });
});
