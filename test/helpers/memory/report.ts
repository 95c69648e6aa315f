import type { Report } from '../../../core/ports/report.ts';

export interface MemoryReport extends Report {
  readonly counts: Map<string, number>;
  readonly lines: string[];
}

export function memoryReport(): MemoryReport {
  const report: MemoryReport = {
    counts: new Map(),
    lines: [],
    info: (message) => void report.lines.push(message),
    warn: (message) => void report.lines.push(message),
    error: (message, error) => void report.lines.push(`${message}: ${String(error)}`),
    count: (metric, value = 1) => void report.counts.set(metric, (report.counts.get(metric) ?? 0) + value),
    time: (metric, ms) => void report.counts.set(metric, ms),
  };
  return report;
}
