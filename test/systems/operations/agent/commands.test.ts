/** Commands at the agent: each is carried out once and in time, whatever comes how often and whenever the agent is killed. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Commands, openCommands } from '../../../../systems/operations/agent/commands/commands.ts';
import { type ServiceChanged, serviceChanged } from '../../../../systems/operations/agent/services/changed.ts';
import type { Services } from '../../../../systems/operations/agent/services/services.ts';

let folder: string;
let nowMs: number;
let pid: number | null;
let asked: string[];
let answers: ServiceChanged[];
let commands: Commands;
/** The service, which takes its time. */
let during: () => Promise<void>;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'push-commands-'));
  [nowMs, pid, asked, answers] = [Date.parse('2026-11-26T12:00:00Z'), 100, [], []];
  during = async () => undefined;
  await open();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const services = {
  has: (id: string) => id === 'news',
  config: () => undefined,
  pid: async () => pid,
  async ask(id: string, { action, graceMs, commandId }: { action: string; graceMs: number; commandId: string }) {
    asked.push(`${action} ${id} ${graceMs}`);
    await during();
    pid = action === 'stop' ? null : (pid ?? 0) + 1;
    const said = { type: 'restarted', status: 'running', message: '', pid, commandId } as const;
    await commands.finish(commandId, serviceChanged(id, undefined, said, nowMs));
  },
} as unknown as Services;
const open = async (): Promise<void> => {
  commands = await openCommands({
    state: folder,
    services,
    wall: () => nowMs,
    serverNow: () => nowMs,
    answer: async (answer) => void answers.push(answer),
    log: () => undefined,
  });
};
let serial = 0;
const command = (over: object = {}) => ({
  data: {
    command_id: 'c',
    service_id: 'news',
    action: 'restart',
    options: {},
    expires_at: new Date(nowMs + 30_000).toISOString(),
    ...over,
  },
  position: `e-${++serial}`,
});
/** Takes a message, and waits for what comes of it. */
const take = async (message: object): Promise<void> => {
  await commands.take(message);
  await commands.idle();
};

describe('a command', () => {
  test('that comes a hundred times, also over restarts of the agent, is carried out once; each time it is answered alike', async () => {
    for (let time = 0; time < 100; time++) {
      if (time % 10 === 9) await open();
      await take(command());
    }
    expect(asked).toHaveLength(1);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers).toHaveLength(100);
  });

  test('that comes again while it is carried out is not begun again', async () => {
    let finish = (): void => undefined;
    during = () =>
      new Promise((done) => {
        finish = done;
      });
    await commands.take(command());
    await commands.take(command());
    expect(asked).toHaveLength(1);
    finish();
    await commands.idle();
    expect(answers).toHaveLength(1);
  });

  test('that came too late is not carried out, and the next is', async () => {
    await take(command({ expires_at: new Date(nowMs - 1).toISOString() }));
    expect([asked, answers]).toEqual([[], []]);
    await take(command({ command_id: 'd' }));
    expect(asked).toHaveLength(1);
  });

  test('that cannot be noted, as on a full disk, is not carried out, and is answered so; the next one is carried out', async () => {
    rmSync(folder, { recursive: true });
    await take(command());
    expect([asked, answers]).toEqual([[], [expect.objectContaining({ command_id: 'c', event_type: 'error', status: 'running' })]]);
    expect(answers[0]?.message).toContain('could not note');
    mkdirSync(folder);
    await take(command({ command_id: 'd' }));
    expect(asked).toHaveLength(1);
  });

  test('for a service that is not in the config is refused, whatever it names', async () => {
    for (const service_id of ['other', '../news', 'constructor', '']) await take(command({ command_id: service_id, service_id }));
    expect(asked).toEqual([]);
    expect(answers).toHaveLength(4);
    expect(answers[0]).toMatchObject({ event_type: 'error', status: 'unknown', message: expect.stringContaining('no service other') });
  });

  test.each([
    [null],
    ['restart'],
    [{ command_id: 'c', service_id: 'news', action: 'destroy', expires_at: '2026-11-26T13:00:00Z' }],
    [{ command_id: 'c', service_id: 'news', action: 'restart' }],
    [{ command_id: 7, service_id: 'news', action: 'restart', expires_at: '2026-11-26T13:00:00Z' }],
    [{ command_id: 'c', service_id: 'news', action: 'restart', expires_at: 'soon' }],
  ])('of another form is passed over: %j', async (data) => {
    await take({ data, position: 'e-5' });
    expect([asked, answers, commands.since()]).toEqual([[], [], 'e-5']);
  });

  test('with force has no time to end by itself', async () => {
    await take(command({ options: { force: true, timeout: 5 } }));
    expect(asked).toEqual(['restart news 0']);
  });
});

describe('an agent that was killed', () => {
  /** The command was begun, and nothing more is known. */
  const killedDuring = async (over: object, then: () => void): Promise<void> => {
    during = () => new Promise(() => undefined);
    await commands.take(command(over));
    asked = [];
    then();
    during = async () => undefined;
    await open();
    await commands.resume();
    await commands.idle();
  };

  test.each([
    ['before it stopped the old process: it does it now', 'restart', 100, ['restart news 0'], 101],
    ['between stop and start: it starts it now', 'restart', null, ['restart news 0'], 1],
    ['after the start: nothing is done again', 'restart', 200, [], 200],
    ['after a stop: to stop it again changes nothing', 'stop', null, ['stop news 0'], null],
  ])('%s', async (_, action, now, expected, ends) => {
    await killedDuring({ action }, () => {
      pid = now;
    });
    expect([asked, pid]).toEqual([expected, ends]);
    expect(answers).toHaveLength(1);
    await open();
    await commands.resume();
    expect(answers).toHaveLength(1);
  });

  test('and comes back too late says what it found, and does nothing', async () => {
    await killedDuring({}, () => {
      nowMs += 31_000;
    });
    expect(asked).toEqual([]);
    expect(answers).toMatchObject([{ event_type: 'error', status: 'running', message: expect.stringContaining('the service runs') }]);
  });

  test('goes on where it was', async () => {
    await take(command());
    const at = commands.since();
    await open();
    expect([commands.since(), at]).toEqual([at, `e-${serial}`]);
  });
});
