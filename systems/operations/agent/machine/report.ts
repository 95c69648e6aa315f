/** The machine's figures as `status_update`, and the alerts that they raise and clear. */
import { join } from 'node:path';
import type * as v from 'valibot';
import type { alertChannel } from '../../alert.ts';
import type { Config } from '../config.ts';
import type { OutgoingEvent } from '../publish/post.ts';
import { readDurably, writeDurably } from '../state/durable.ts';
import type { Figures } from './metrics.ts';
import { CALM, judge, type ThresholdState } from './threshold.ts';

/** Cleared so far below its threshold, in per cent: a value beside it does not flap. */
const BAND = 5;

type Watched = 'cpu' | 'memory' | 'disk';

const WATCHED: Readonly<Record<Watched, { readonly label: string; readonly field: string; of(figures: Figures): number | null }>> = {
  cpu: { label: 'CPU', field: 'cpu_percent', of: ({ cpuPercent }) => cpuPercent },
  memory: { label: 'memory', field: 'memory_percent', of: ({ memoryPercent }) => memoryPercent },
  disk: { label: 'disk', field: 'disk_usage', of: ({ diskPercent }) => diskPercent },
};

/** `detail` of `StatusUpdated`. A figure that cannot be had counts as 0: the message has no other word for it. */
export const statusOf = (figures: Figures, running: number): OutgoingEvent['detail'] => ({
  cpu_percent: figures.cpuPercent ?? 0,
  memory_percent: figures.memoryPercent ?? 0,
  disk_usage: figures.diskPercent ?? 0,
  network_status: figures.isOnline === null ? 'unknown' : figures.isOnline ? 'connected' : 'disconnected',
  uptime: figures.uptimeSeconds ?? 0,
  active_services: running,
});

/** `detail` of `AlertRaised`. */
export type Alert = v.InferOutput<typeof alertChannel.data>;

export interface Watch {
  /** Looks at the figures; returns the alerts that are to be published. */
  look(figures: Figures, nowMs: number): readonly Alert[];
  /** Notes what was raised and cleared, once the alerts are published: an agent that was killed before publishes them again. */
  save(): Promise<void>;
}

/** @param state folder in which what was raised outlives a restart */
export async function watchThresholds(state: string, config: () => Config): Promise<Watch> {
  const path = join(state, 'alerts.json');
  const states = new Map(Object.entries((await readDurably<Record<string, ThresholdState>>(path)) ?? {}));
  let saved = JSON.stringify([...states]);
  return {
    look(figures, nowMs) {
      const { thresholds, agent } = config();
      const alerts: Alert[] = [];
      for (const [name, { label, field, of }] of Object.entries(WATCHED)) {
        const fire = thresholds[name as Watched];
        const value = of(figures);
        const forMs = thresholds.for * 1000;
        const was = states.get(name) ?? CALM;
        const { state: next, change } = judge(was, value, nowMs, { fire, clear: fire - BAND, forMs, clearForMs: forMs });
        states.set(name, next);
        if (!change) continue;
        const since = Math.round((nowMs - (was.sinceMs ?? nowMs)) / 1000);
        const raised = change === 'raise';
        alerts.push({
          level: raised ? 'warning' : 'info',
          title: raised ? `${label} of ${agent} is high` : `${label} of ${agent} is well again`,
          message: raised
            ? `${label} has been at ${fire} % or more for ${since} s`
            : `${label} has been below ${fire - BAND} % for ${since} s`,
          category: 'performance',
          source: agent,
          actions: [],
          metadata: { [field]: value, threshold: fire, duration: since, cleared: !raised },
        });
      }
      return alerts;
    },
    async save() {
      const now = JSON.stringify([...states]);
      if (now === saved) return;
      await writeDurably(path, Object.fromEntries(states));
      saved = now;
    },
  };
}

/** A service died so often that somebody must look, or is well again. */
export const failingAlert = (agent: string, id: string, name: string, isFailing: boolean): Alert => ({
  level: isFailing ? 'error' : 'info',
  title: isFailing ? `${name} keeps failing` : `${name} is well again`,
  message: isFailing ? `${name} dies again and again; it is started again, more slowly each time` : `${name} has run for a minute`,
  category: 'service',
  source: agent,
  actions: isFailing
    ? [
        { label: `Restart ${name}`, action: `restart:${id}` },
        { label: `Stop ${name}`, action: `stop:${id}` },
      ]
    : [],
  metadata: { service_id: id, cleared: !isFailing },
});
