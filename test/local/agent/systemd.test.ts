/** Units of systemd, through a `systemctl` of the test's own on the path. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AgentHome, type AgentProcess, addAgent, agentHome, isRunning } from '../../helpers/agent.ts';
import type { Client, Message } from '../../helpers/client.ts';
import { type OwnRun, runWith } from '../../helpers/local.ts';
import { shortLived } from '../../helpers/short-lived.ts';

const here = describe.skipIf(process.platform !== 'linux');

/** A unit is a file with its pid. `dies` starts without an error and is dead at once, `limited` has used up its starts. */
const SYSTEMCTL = `#!/usr/bin/env bash
dir=$(dirname "$0")/units
echo "$*" >> "$dir/calls"
unit=""
for word in "$@"; do case $word in *.service) unit=$word ;; esac; done
file="$dir/$unit"
alive() { [ -s "$file" ] && kill -0 "$(cat "$file")" 2>/dev/null; }
case $1 in
  show)
    case $unit in
      gone.service) printf 'ActiveState=inactive\\nSubState=dead\\nResult=success\\nNRestarts=0\\nMainPID=0\\nLoadState=not-found\\n' ;;
      dies.service) printf 'ActiveState=failed\\nSubState=failed\\nResult=exit-code\\nNRestarts=0\\nMainPID=0\\nLoadState=loaded\\n' ;;
      limited.service) printf 'ActiveState=failed\\nSubState=failed\\nResult=start-limit-hit\\nNRestarts=5\\nMainPID=0\\nLoadState=loaded\\n' ;;
      *) if alive; then printf 'ActiveState=active\\nSubState=running\\nResult=success\\nNRestarts=0\\nMainPID=%s\\nLoadState=loaded\\n' "$(cat "$file")"
         else printf 'ActiveState=inactive\\nSubState=dead\\nResult=success\\nNRestarts=0\\nMainPID=0\\nLoadState=loaded\\n'; fi ;;
    esac ;;
  start)
    case $unit in news.service) alive || { sleep 600 >/dev/null 2>&1 & echo $! > "$file"; } ;; esac ;;
  stop) alive && kill "$(cat "$file")"; rm -f "$file" ;;
  kill) alive && kill -KILL "$(cat "$file")"; rm -f "$file" ;;
esac
exit 0
`;

let own: OwnRun;
let home: AgentHome;
let agent: AgentProcess;
const IDS = ['news', 'dies', 'limited', 'gone'];
beforeAll(async () => {
  [own, home] = await Promise.all([runWith({ ALLOW_ANONYMOUS_CONTROL: 'true' }), agentHome()]);
  const bin = join(home.folder, 'bin');
  mkdirSync(join(bin, 'units'), { recursive: true });
  writeFileSync(join(bin, 'systemctl'), SYSTEMCTL);
  chmodSync(join(bin, 'systemctl'), 0o755);
  const key = await addAgent(own.run, 'web-1', IDS);
  const services = Object.fromEntries(IDS.map((id) => [id, { unit: `${id}.service` }]));
  home.config({ agent: 'web-1', url: own.url, key, services });
  agent = home.start({ PATH: `${bin}:${process.env['PATH']}` });
  await agent.says('connected to');
}, 120_000);
afterAll(async () => {
  // the unit's process belongs to nobody else
  const one = await dial(own.url);
  one.send({ type: 'service_control', data: { service_id: 'news', action: 'stop' } });
  await one.until(about('news', 'stopped'));
  await one.close();
  await home.remove();
  await own.run.stop();
});

const dial = shortLived();
const dataOf = (message: Message) => message['data'] as Record<string, unknown>;
const pidOf = (message: Message) => (dataOf(message)['details'] as { pid: number }).pid;
const about =
  (id: string, ...types: string[]) =>
  ({ type, data }: Message) =>
    type === 'service_event' &&
    (data as Record<string, unknown>)['service_id'] === id &&
    types.includes(String((data as Record<string, unknown>)['event_type']));
async function ask(one: Client, id: string, action: string, options: object = {}): Promise<Message> {
  one.send({ type: 'service_control', data: { service_id: id, action, options } });
  return one.until(about(id, 'started', 'stopped', 'restarted', 'error'));
}
/** Asks as soon as the service has announced itself. */
async function known(id: string): Promise<void> {
  await own.eventually(
    async () => {
      const one = await dial(own.url);
      await one.next();
      one.send({ type: 'service_control', data: { service_id: id, action: 'status' } });
      return (await one.next())['type'];
    },
    (type) => type === 'service_event',
  );
}

here('a unit', () => {
  test('that does not run is not started because an agent comes, and announces itself', async () => {
    await known('news');
    expect(agent.output()).not.toContain('news was started');
  });

  test('is started, restarted with a new pid, and killed if that is asked', async () => {
    const one = await dial(own.url);
    const first = await ask(one, 'news', 'start');
    expect(dataOf(first)).toMatchObject({ event_type: 'started', status: 'running' });
    const second = await ask(one, 'news', 'restart');
    expect(pidOf(second)).not.toBe(pidOf(first));
    expect([isRunning(pidOf(first)), isRunning(pidOf(second))]).toEqual([false, true]);
    const third = await ask(one, 'news', 'restart', { force: true });
    expect([isRunning(pidOf(second)), isRunning(pidOf(third))]).toEqual([false, true]);
  });

  test('that dies at once is an error though its start succeeds; so is one that was started too often, and one that is not there', async () => {
    for (const [id, says] of [
      ['dies', 'dies.service is failed (failed), result exit-code'],
      ['limited', 'limited.service was started too often: systemd refuses it until its start limit is over'],
      ['gone', 'there is no unit gone.service'],
    ] as const) {
      await known(id);
      expect(dataOf(await ask(await dial(own.url), id, 'start'))).toMatchObject({
        event_type: 'error',
        message: expect.stringContaining(says),
      });
    }
  });
});
