/** Events that wait to be published: nothing is lost or sent in two versions, wherever the agent is killed, whatever the server answers. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LogBatch, type Outbox, openOutbox } from '../../../../systems/operations/agent/publish/outbox.ts';
import type { OutgoingEvent, Posted } from '../../../../systems/operations/agent/publish/post.ts';
import { type Sender, startSender } from '../../../../systems/operations/agent/publish/sender.ts';

let folder: string;
let outbox: Outbox;
let said: string[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'push-outbox-'));
  said = [];
  await open();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const open = async (logBytes = 1_000_000): Promise<void> => {
  outbox = await openOutbox({ folder, logBytes, kicked: () => undefined, log: (_, message) => void said.push(message) });
};
const event = (id: string, detailType: OutgoingEvent['detailType'] = 'ServiceChanged', text = ''): OutgoingEvent => ({
  detailType,
  detail: { text },
  id,
});
const lines = (offset: number, text = ''): LogBatch => ({
  event: event(`f+${offset}`, 'LogAppended', text),
  next: { id: 'f', device: '1', inode: '2', offset: offset + 10, mark: 'm', skips: false },
});
const noted = async (): Promise<void> => undefined;
const idsOf = async (): Promise<string[]> => (await outbox.next(100))?.events.map(({ id }) => id) ?? [];

describe('the outbox', () => {
  test('has changes before log lines before figures, of which only the newest count', async () => {
    await outbox.addLines([lines(0)], noted);
    outbox.figures(event('old', 'StatusUpdated'));
    outbox.figures(event('new', 'StatusUpdated'));
    await outbox.add(event('a'));
    expect(await idsOf()).toEqual(['a', 'f+0', 'new']);
  });

  test('keeps what was not taken, and forgets the rest', async () => {
    for (const id of ['a', 'b', 'c']) await outbox.add(event(id));
    await outbox.addLines([lines(0), lines(10)], noted);
    const next = await outbox.next(100);
    await next?.settle(new Set([1, 3]));
    expect(await idsOf()).toEqual(['b', 'f+0']);
    await open();
    expect(await idsOf()).toEqual(['b', 'f+0']);
  });

  test('figures that came while others were sent are not forgotten with them', async () => {
    outbox.figures(event('old', 'StatusUpdated'));
    const next = await outbox.next(100);
    outbox.figures(event('new', 'StatusUpdated'));
    await next?.settle(new Set());
    expect(await idsOf()).toEqual(['new']);
  });

  test('sends no lines before it is noted that they were read; killed before that, it knows how far they go', async () => {
    let sent: string[] | undefined;
    let finish = (): void => undefined;
    let adding: Promise<void> | undefined;
    const isNoting = new Promise<void>((begun) => {
      const note = (): Promise<void> =>
        new Promise((done) => {
          finish = done;
          begun();
        });
      adding = outbox.addLines([lines(0), lines(10)], note);
    });
    const next = outbox.next(100).then((found) => {
      sent = found?.events.map(({ id }) => id);
    });
    await isNoting;
    expect(sent).toBeUndefined();
    const after = await openOutbox({ folder, logBytes: 1_000_000, kicked: () => undefined, log: () => undefined });
    expect(after.waiting.get('f')?.offset).toBe(20);
    finish();
    await Promise.all([adding, next]);
    expect(sent).toEqual(['f+0', 'f+10']);
  });

  test('keeps events in memory while the disk takes none, in their order, and puts them there as soon as it does', async () => {
    await outbox.add(event('a'));
    rmSync(join(folder, 'events'), { recursive: true });
    await outbox.add(event('b'));
    await outbox.add(event('c'));
    expect(said).toEqual([expect.stringContaining('stay in memory')]);
    expect(await idsOf()).toEqual(['b', 'c']);
    await (await outbox.next(1))?.settle(new Set());
    mkdirSync(join(folder, 'events'));
    await outbox.add(event('d'));
    await open();
    expect(await idsOf()).toEqual(['c', 'd']);
  });

  test('stays small in one request, but never stops at a large event', async () => {
    const large = 'x'.repeat(200_000);
    await outbox.addLines([lines(0, large), lines(10, large), lines(20, large)], noted);
    expect(await idsOf()).toEqual(['f+0']);
    await (await outbox.next(100))?.settle(new Set());
    expect(await idsOf()).toEqual(['f+10']);
  });

  test('is full by its bytes, and has room again', async () => {
    await open(1_000);
    await outbox.addLines([lines(0, 'x'.repeat(2_000))], noted);
    expect(outbox.isFull).toBe(true);
    await (await outbox.next(100))?.settle(new Set());
    expect(outbox.isFull).toBe(false);
    expect(readdirSync(join(folder, 'logs'))).toEqual([]);
  });
});

describe('the sender', () => {
  let sender: Sender;
  let posts: string[][];
  let said: string[];
  afterEach(() => sender.stop());
  const send = (...answers: Posted[]): void => {
    [posts, said] = [[], []];
    sender = startSender({
      outbox,
      post: async (events) => {
        posts.push(events.map(({ id }) => id));
        return answers.shift() ?? taken();
      },
      random: () => 0,
      log: (level, message) => void said.push(`${level} ${message}`),
      serverTime: () => undefined,
    });
  };
  const taken = (refused: [number, { why: string; isFinal: boolean }][] = []): Posted => ({
    kind: 'answered',
    refused: new Map(refused),
    entries: [],
    serverMs: null,
  });
  const empty = async (): Promise<void> => {
    while ((await outbox.next(1)) !== null) {
      sender.kick();
      await new Promise((done) => setTimeout(done, 5));
    }
  };

  test('gives up what is refused for good, says so, and sends again what may be taken later', async () => {
    for (const id of ['good', 'bad', 'later']) await outbox.add(event(id));
    send(
      taken([
        [1, { why: 'no such level', isFinal: true }],
        [2, { why: 'not taken', isFinal: false }],
      ]),
    );
    await empty();
    expect(posts).toEqual([['good', 'bad', 'later'], ['later']]);
    expect(said).toEqual([
      'ERROR ServiceChanged bad was refused, and is given up: no such level',
      'WARNING publishing failed, and is tried again: 1 events were not taken',
      'INFO publishing works again',
    ]);
  });

  test('finds the one event that spoils a request, and loses no other', async () => {
    for (const id of ['a', 'bad', 'c']) await outbox.add(event(id));
    const malformed: Posted = { kind: 'failed', why: '400: malformed', pauseMs: 0, isFinal: true };
    send(malformed, taken(), malformed);
    await empty();
    expect(posts.slice(0, 3)).toEqual([['a', 'bad', 'c'], ['a'], ['bad', 'c']]);
    expect(said.filter((line) => line.includes('given up'))).toEqual([]);
  });

  test('waits while the server is away, and says it once', async () => {
    await outbox.add(event('a'));
    const away: Posted = { kind: 'failed', why: 'ECONNREFUSED', pauseMs: 0, isFinal: false };
    send(away, away);
    await empty();
    expect(posts).toHaveLength(3);
    expect(said).toEqual(['WARNING publishing failed, and is tried again: ECONNREFUSED', 'INFO publishing works again']);
    expect(sender.isOnline).toBe(true);
  });
});
