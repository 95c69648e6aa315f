/** Alerts of an agent: raised and cleared with a band and a time between, over restarts, with the figures that made them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readConfig } from '../../../../systems/operations/agent/config.ts';
import type { Figures } from '../../../../systems/operations/agent/machine/metrics.ts';
import { type Alert, failingAlert, statusOf, type Watch, watchThresholds } from '../../../../systems/operations/agent/machine/report.ts';
import { alertChannel } from '../../../../systems/operations/alert.ts';
import { statusUpdateChannel } from '../../../../systems/operations/status-update.ts';

const CONFIG = readConfig('{"agent":"web-1","url":"http://localhost","key":"k","thresholds":{"cpu":90,"for":60}}');
const calm: Figures = { cpuPercent: 5, memoryPercent: 40, diskPercent: 50, isOnline: true, uptimeSeconds: 9, of: 'host' };

let folder: string;
let watch: Watch;
let nowMs: number;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'push-report-'));
  nowMs = 1e12;
  watch = await watchThresholds(folder, () => CONFIG);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
/** Looks every five seconds. */
async function pass(seconds: number, figures: Partial<Figures>): Promise<Alert[]> {
  const alerts: Alert[] = [];
  for (let second = 0; second < seconds; second += 5) {
    nowMs += 5_000;
    alerts.push(...watch.look({ ...calm, ...figures }, nowMs));
    await watch.save();
  }
  return alerts;
}

test('a threshold is raised once after its time, and cleared once; the alerts have the figures', async () => {
  expect(await pass(55, { cpuPercent: 95 })).toEqual([]);
  const [raised, ...more] = await pass(120, { cpuPercent: 95 });
  expect([raised, more]).toEqual([
    {
      level: 'warning',
      title: 'CPU of web-1 is high',
      message: 'CPU has been at 90 % or more for 60 s',
      category: 'performance',
      source: 'web-1',
      actions: [],
      metadata: { cpu_percent: 95, threshold: 90, duration: 60, cleared: false },
    },
    [],
  ]);
  const cleared = await pass(120, {});
  expect(cleared.map(({ level, metadata }) => [level, metadata['cleared']])).toEqual([['info', true]]);
});

test('a value that swings around the threshold is told once', async () => {
  await pass(60, { cpuPercent: 95 });
  const alerts: Alert[] = [];
  for (let swing = 0; swing < 50; swing++) alerts.push(...(await pass(30, { cpuPercent: swing % 2 ? 91 : 86 })));
  expect(alerts.filter(({ metadata }) => metadata['cleared'] === true)).toEqual([]);
  expect(alerts.length).toBeLessThanOrEqual(1);
});

test('what was raised stays raised over a restart, and no figure is no sign of health', async () => {
  await pass(65, { diskPercent: 97 });
  watch = await watchThresholds(folder, () => CONFIG);
  expect(await pass(120, { diskPercent: 97 })).toEqual([]);
  expect(await pass(120, { diskPercent: null })).toEqual([]);
  expect(await pass(120, {})).toMatchObject([{ title: 'disk of web-1 is well again' }]);
});

test('all of them are what the channels take', () => {
  for (const isFailing of [true, false]) v.parse(alertChannel.data, failingAlert('web-1', 'news', 'News', isFailing));
  const none: Figures = { cpuPercent: null, memoryPercent: null, diskPercent: null, isOnline: null, uptimeSeconds: null, of: 'container' };
  for (const figures of [calm, none]) v.parse(statusUpdateChannel.data, statusOf(figures, 2));
  expect(failingAlert('web-1', 'news', 'News', true).actions.map(({ action }) => action)).toEqual(['restart:news', 'stop:news']);
});
