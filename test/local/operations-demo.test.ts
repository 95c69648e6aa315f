/** The demo's operations: earthquakes by magnitude and in order, the status of this machine, and the functions' log lines. */
import { expect, test } from 'vitest';
import { checkEvent } from '../../core/events/envelope.ts';
import { ALERT_MS, alertOf, levelOf, readEarthquakes, replay, strongestOnly } from '../../local/demo/earthquakes.ts';
import { makeJournal } from '../../local/demo/journal.ts';
import { machineStatus, readProcessors } from '../../local/demo/machine.ts';
import type { OutgoingEvent } from '../../local/publisher.ts';
import { channels } from '../helpers/ports.ts';

const check = (event: OutgoingEvent) => checkEvent({ ...event, id: 'e', time: null, acceptedAtMs: 0, index: 0 }, channels);

test('the earthquakes span a week, and each is an alert by its magnitude', () => {
  const quakes = readEarthquakes();

  expect(quakes.length).toBeGreaterThan(900);
  expect((quakes.at(-1)?.atMs ?? 0) - (quakes[0]?.atMs ?? 0)).toBeGreaterThan(6.5 * 86_400_000);
  for (const quake of quakes) check(alertOf(quake));
  expect([1, 4.4, 4.5, 5.4, 5.5, 5.9, 6, 9].map(levelOf)).toEqual([
    'info',
    'info',
    'warning',
    'warning',
    'error',
    'error',
    'critical',
    'critical',
  ]);
});

test('the earthquakes are replayed in order and at their time, once per round, and start again', () => {
  const quakes = readEarthquakes().slice(0, 5);
  const [first, last] = [quakes[0]?.atMs ?? 0, quakes.at(-1)?.atMs ?? 0];
  const due = replay(quakes, 100);

  expect(due(0)).toEqual([quakes[0]]);
  const replayed = [];
  for (let elapsedMs = 1; elapsedMs * 100 <= last - first; elapsedMs++) {
    for (const quake of due(elapsedMs)) {
      expect(quake.atMs - first).toBeLessThanOrEqual(elapsedMs * 100);
      replayed.push(quake);
    }
  }
  expect(replayed).toEqual(quakes.slice(1, -1));
  expect(due((2 * (last - first + 1)) / 100)).toEqual([quakes[4], ...quakes, quakes[0]]);
});

test('an alert is raised at most once a minute: the strongest earthquake since the last', () => {
  const due = replay(readEarthquakes(), 300);
  const alerts = strongestOnly();
  const told: { atMs: number; magnitude: number }[] = [];
  let since: number[] = [];
  for (let nowMs = 0; nowMs < 30 * 60_000; nowMs += 2_000) {
    const quakes = due(nowMs);
    since.push(...quakes.map(({ magnitude }) => magnitude));
    for (const { magnitude } of alerts(quakes, nowMs)) {
      expect(magnitude).toBe(Math.max(...since));
      told.push({ atMs: nowMs, magnitude });
      since = [];
    }
  }

  expect(told[0]?.atMs).toBe(0);
  expect(told.length).toBeGreaterThanOrEqual(25);
  for (const [index, { atMs }] of told.slice(1).entries()) expect(atMs - (told[index]?.atMs ?? 0)).toBeGreaterThanOrEqual(ALERT_MS);
});

test('the machine reports its own figures as a valid status', async () => {
  const before = { busy: 100, all: 1_000 };
  const status = await machineStatus(before, { busy: 350, all: 2_000 }, 9);

  expect(status).toMatchObject({ cpu_percent: 25, active_services: 9 });
  check({ source: 'ops.monitor', detailType: 'StatusUpdated', detail: status });
  const { busy, all } = readProcessors();
  expect(all).toBeGreaterThan(busy);
  for (const name of ['memory_percent', 'disk_usage']) expect(status[name]).toBeGreaterThan(0);
});

test('the journal keeps log lines about clients, once, and none that publishing causes', () => {
  const journal = makeJournal();
  const line = (message: string) => JSON.stringify({ level: 'INFO', message, timestamp: '2026-02-06T03:00:00.000Z', clientId: 'x' });
  journal.note('ws-message', line('subscribe'));
  journal.note('ingest', line('delivered'));
  journal.note('ws-message', 'not JSON');
  journal.note('ws-message', JSON.stringify({ _aws: {}, MessagesIn: 1 }));

  const entries = journal.take();

  expect(entries).toEqual([expect.objectContaining({ level: 'INFO', logger_name: 'ws-message', message: 'subscribe · clientId "x"' })]);
  check({ source: 'ops.monitor', detailType: 'LogAppended', detail: { file_name: 'functions.log', entries } });
  expect(journal.take()).toEqual([]);
});
