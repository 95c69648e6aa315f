/** One agent for a state folder: two would send everything twice. */
import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Identity, type Proc, procAt } from '../services/proc.ts';
import { unlessMissing } from './durable.ts';

/** Takes the folder for this process. Throws if another one that is alive has it. Returns what gives it back. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'agent.lock');
  const proc = procAt();
  const me = await proc.identityOf(process.pid);
  const mine = `${path}.${process.pid}`;
  await writeFile(mine, JSON.stringify(me), { mode: 0o600 });
  try {
    for (let tries = 0; ; tries++) {
      try {
        await link(mine, path);
        return () => unlink(path);
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'EEXIST' || tries > 2) throw error;
      }
      const holder = await holderOf(path);
      if (holder && (await proc.isAlive(holder))) throw new Error(`another agent uses ${folder}: process ${holder.pid}`);
      // it was killed, and left it: of several that see this one takes it away
      await takeAway(path, `${mine}.stale`, proc);
    }
  } finally {
    await unlink(mine);
  }
}

/** Takes a lock away, unless it has become another's meanwhile. */
async function takeAway(path: string, aside: string, proc: Proc): Promise<void> {
  await rename(path, aside).catch(unlessMissing);
  const holder = await holderOf(aside);
  if (holder && (await proc.isAlive(holder))) await link(aside, path);
  await unlink(aside).catch(unlessMissing);
}

async function holderOf(path: string): Promise<Identity | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Identity | null;
  } catch {
    return null; // torn, or gone meanwhile
  }
}
