export interface PublishedEvent {
  readonly source: string;
  readonly detailType: string;
  readonly detail: Record<string, unknown>;
  readonly id?: string;
  readonly time?: string;
}

/** When the queue took a record, in tests that are not about clocks: later than any time that an event may claim. */
export const SENT_AT_MS = 8.64e15;

const now = (): string => new Date().toISOString();

export const tick = (ticker: string, price: number, over: Record<string, unknown> = {}): PublishedEvent => ({
  source: 'market.price',
  detailType: 'PriceTicked',
  detail: {
    ticker,
    price,
    change: -700,
    change_rate: -0.4394224733207784,
    volume: 36358081,
    bid_price: price,
    ask_price: price,
    timestamp: now(),
    ...over,
  },
});

export const daily = (ticker: string, price: number, date: string, over: Record<string, unknown> = {}): PublishedEvent => ({
  source: 'market.price',
  detailType: 'DailyClosed',
  detail: { ticker, date, price, change: -200, change_rate: -0.3424657534246575, volume: 22198428, ...over },
});

export const halt = (ticker: string, over: Record<string, unknown> = {}): PublishedEvent => ({
  source: 'market.price',
  detailType: 'TradingHalted',
  detail: { ticker, reason: 'disclosure', timestamp: now(), ...over },
});

export const resume = (ticker: string, over: Record<string, unknown> = {}): PublishedEvent => ({
  source: 'market.price',
  detailType: 'TradingResumed',
  detail: { ticker, reason: 'over', timestamp: now(), ...over },
});

export const listed = (...tickers: { ticker: string; name: string }[]): PublishedEvent => ({
  source: 'market.price',
  detailType: 'TickersListed',
  detail: { tickers },
});

let serial = 0;
/** A ticker that no other test of this process uses. */
export const freshTicker = (): string =>
  `T${process.pid.toString(36).toUpperCase().slice(-3).padStart(3, '0')}${(serial++).toString(36).toUpperCase().padStart(2, '0')}`;

export const rank = (concertId: number, userId: number, place: number, over: Record<string, unknown> = {}): PublishedEvent => ({
  source: 'ticket.waiting-queue',
  detailType: 'RankUpdated',
  detail: { userId, concertId, status: 'WAITING', rank: place, activeTtlSeconds: 0, timestamp: now(), ...over },
});

export const activated = (concertId: number, userId: number, seconds: number, over: Record<string, unknown> = {}): PublishedEvent => ({
  source: 'ticket.waiting-queue',
  detailType: 'Activated',
  detail: { userId, concertId, status: 'ACTIVE', rank: 0, activeTtlSeconds: seconds, timestamp: now(), ...over },
});

export const settled = (
  seatId: number,
  userId: number,
  status: 'SUCCESS' | 'FAIL',
  over: Record<string, unknown> = {},
): PublishedEvent => ({
  source: 'ticket.reservation',
  detailType: 'ReservationSettled',
  detail: { userId, seatId, status, timestamp: now(), ...over },
});

/** A whole number that no other test of this process uses. */
export const freshId = (): number => process.pid * 10_000 + serial++;

const operation =
  (detailType: string, example: Record<string, unknown>) =>
  (over: Record<string, unknown> = {}): PublishedEvent => ({ source: 'ops.monitor', detailType, detail: { ...example, ...over } });

export const status = operation('StatusUpdated', {
  cpu_percent: 45.2,
  memory_percent: 67.8,
  disk_usage: 23.4,
  network_status: 'connected',
  uptime: 86_400,
  active_services: 6,
});
export const service = operation('ServiceChanged', {
  service_id: 'posco_news',
  service_name: 'POSCO news monitor',
  event_type: 'started',
  status: 'running',
  message: 'the service has started',
  details: { pid: 12_345, port: 8080, config_file: '/path/to/config.json' },
});
export const alert = operation('AlertRaised', {
  level: 'warning',
  title: 'high CPU use',
  message: 'CPU use is above 90 %',
  category: 'performance',
  source: 'system_monitor',
  actions: [{ label: 'show processes', action: 'view_processes' }],
  metadata: { cpu_percent: 92.5, threshold: 90.0, duration: 300 },
});
export const logEntry = (level: string, message: string): Record<string, unknown> => ({
  timestamp: '2024-01-01T12:00:00Z',
  level,
  logger_name: 'watchhamster.services',
  message,
  module: 'posco_news.py',
  line_number: 45,
  thread_id: 'MainThread',
});
export const log = operation('LogAppended', {
  file_name: 'watchhamster.log',
  entries: [logEntry('INFO', 'the service has started')],
  total_new_entries: 1,
});
export const webhook = operation('WebhookSettled', {
  webhook_id: 'webhook_001',
  event_type: 'sent',
  webhook_type: 'discord',
  url: 'https://chat.example/api/webhooks/123456/s3cr3t',
  status: 'success',
  response_code: 200,
  message: 'the webhook was sent',
  sent_at: '2024-01-01T12:00:00Z',
  response_time_ms: 245,
});
export const deployment = operation('PoscoChanged', {
  event_type: 'deployment_started',
  branch: 'main',
  commit_hash: 'abc123def456',
  deployment_id: 'deploy_001',
  status: 'in_progress',
  progress: 25,
  message: 'the deployment has started',
  steps: [
    { name: 'check out', status: 'completed', duration_ms: 1500 },
    { name: 'install', status: 'in_progress', progress: 60 },
    { name: 'build', status: 'pending' },
  ],
});
/** One of each, by the type of its message. */
export const OPERATIONS = {
  status_update: status,
  service_event: service,
  alert,
  log_update: log,
  webhook_event: webhook,
  posco_event: deployment,
};
