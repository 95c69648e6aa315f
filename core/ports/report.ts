/** Structured logs and metrics. */
export interface Report {
  info(message: string, facts?: Record<string, unknown>): void;
  warn(message: string, facts?: Record<string, unknown>): void;
  error(message: string, error: unknown, facts?: Record<string, unknown>): void;
  count(metric: string, value?: number): void;
  time(metric: string, ms: number): void;
}
