/** `scripts/api/v13-websocket-switching.sh` against a run in each mode: it finds the mode, and says what does not fit. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { type OwnRun, runWith } from '../helpers/local.ts';
import { PROCESS_MS } from '../helpers/within.ts';

let own: OwnRun | null = null;
afterEach(async () => {
  await own?.run.stop();
  own = null;
});

const run = promisify(execFile);
async function script(words: readonly string[], environment: Record<string, string> = {}) {
  const env = { ...process.env, ...environment };
  const { stdout, stderr, code } = await run('scripts/api/v13-websocket-switching.sh', words, { env, timeout: PROCESS_MS }).then(
    (done) => ({ ...done, code: 0 }),
    (failed: { stdout: string; stderr: string; code: number }) => failed,
  );
  return { out: stdout, error: stderr, code };
}

test.each(['sse', 'websocket', 'both'])('a run in mode %s is found to be in it', async (mode) => {
  own = await runWith({ APP_PUSH_MODE: mode });
  const { out, error, code } = await script([own.url], { MODE: mode });

  expect(out).toMatch(new RegExp(`(\\d+) of \\1 checks passed in mode ${mode}\n$`));
  expect([code, error]).toEqual([0, '']);
});

test('another mode than the one that is wanted is a failure', async () => {
  own = await runWith({ APP_PUSH_MODE: 'websocket' });
  const { out, code } = await script([own.url], { MODE: 'both' });

  expect(out).toMatch(/FAIL +the mode +websocket, expected both/);
  expect(code).toBe(1);
});

test('an address where nothing answers is said', async () => {
  const { error, code } = await script(['http://127.0.0.1:1']);

  expect([code, error]).toEqual([1, 'nothing answers at http://127.0.0.1:1\n']);
});
