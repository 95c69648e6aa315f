/** Messages by topic, as `docs/protocol.md` shows them. `test/client/messages.test.ts` compares those of operations and quotes with the server's schemas. */

/** Fields that every message of a topic may have beside its own. */
export interface Positioned {
  /** Missing if the message is delivered again although nothing is new. */
  readonly position?: string;
}

export interface PriceUpdate extends Positioned {
  readonly type: 'price_update';
  readonly ticker: string;
  readonly data: {
    readonly price: number;
    readonly change: number;
    readonly change_rate: number;
    readonly volume: number;
    readonly bid_price: number;
    readonly ask_price: number;
    readonly halted?: boolean;
    readonly stale?: boolean;
  };
  readonly timestamp: string;
}

/** A quote over REST, `GET /api/kr/realtime-prices`. */
export interface Quote {
  readonly ticker: string;
  readonly price: number;
  readonly change: number;
  readonly change_rate: number;
  readonly volume: number;
  readonly timestamp: string;
  readonly bid_price: number;
  readonly ask_price: number;
  readonly source: 'realtime' | 'daily';
  readonly stale: boolean;
  readonly halted: boolean;
  readonly name?: string;
}

export interface WaitingQueueMessage extends Positioned {
  readonly event: 'RANK_UPDATE' | 'ACTIVE' | 'KEEPALIVE';
  readonly userId: number;
  readonly concertId: number;
  readonly data: {
    readonly userId: number;
    readonly concertId: number;
    readonly status: 'WAITING' | 'ACTIVE';
    readonly rank: number;
    readonly activeTtlSeconds: number;
    readonly timestamp: string;
  };
}

export interface ReservationStatus extends Positioned {
  readonly event: 'RESERVATION_STATUS';
  readonly userId: number;
  readonly seatId: number;
  readonly status: 'SUCCESS' | 'FAIL';
  readonly timestamp: string;
}

interface Broadcast<Type extends string, Data> extends Positioned {
  readonly type: Type;
  readonly data: Data;
  readonly timestamp: string;
  readonly broadcast_id: string;
}

export type StatusUpdate = Broadcast<
  'status_update',
  {
    readonly cpu_percent: number;
    readonly memory_percent: number;
    readonly disk_usage: number;
    readonly network_status: string;
    readonly uptime: number;
    readonly active_services: number;
  }
>;

export type ServiceEvent = Broadcast<
  'service_event',
  {
    readonly service_id: string;
    readonly service_name: string;
    readonly event_type: 'started' | 'stopped' | 'restarted' | 'error' | 'recovered' | 'config_changed';
    readonly status: string;
    readonly message: string;
    readonly details: { readonly pid?: number; readonly port?: number; readonly config_file?: string };
    /** Of the command that it answers. */
    readonly command_id?: string | undefined;
  }
>;

export type Alert = Broadcast<
  'alert',
  {
    readonly level: 'info' | 'warning' | 'error' | 'critical';
    readonly title: string;
    readonly message: string;
    readonly category: string;
    readonly source: string;
    readonly actions: readonly { readonly label: string; readonly action: string }[];
    readonly metadata: Readonly<Record<string, unknown>>;
  }
>;

export interface LogEntry {
  readonly timestamp: string;
  readonly level: string;
  readonly logger_name: string;
  readonly message: string;
  readonly module: string;
  readonly line_number: number;
  readonly thread_id: string;
  /** The line's place, if an agent read it: sorted by both, a file is whole. */
  readonly file?: string;
  readonly offset?: number;
}

export type LogUpdate = Broadcast<
  'log_update',
  { readonly file_name: string; readonly entries: readonly LogEntry[]; readonly total_new_entries: number }
>;

export type WebhookEvent = Broadcast<
  'webhook_event',
  {
    readonly webhook_id: string;
    readonly event_type: string;
    readonly webhook_type: string;
    readonly url: string;
    readonly status: string;
    readonly response_code: number;
    readonly message: string;
    readonly sent_at: string;
    readonly response_time_ms: number;
  }
>;

export interface DeploymentStep {
  readonly name: string;
  readonly status: 'completed' | 'in_progress' | 'pending';
  readonly duration_ms?: number;
  readonly progress?: number;
}

export type PoscoEvent = Broadcast<
  'posco_event',
  {
    readonly event_type: string;
    readonly branch: string;
    readonly commit_hash: string;
    readonly deployment_id: string;
    readonly status: string;
    readonly progress: number;
    readonly message: string;
    readonly steps: readonly DeploymentStep[];
  }
>;

/** Topics of your own and their messages: declare them by `declare module 'realtime-push-client' { interface OwnTopics { 'orders:new': Order } }`. */
// biome-ignore lint/suspicious/noEmptyInterface: programs add to it
export interface OwnTopics {}

interface Broadcasts {
  readonly 'ops:status_update': StatusUpdate;
  readonly 'ops:service_event': ServiceEvent;
  readonly 'ops:alert': Alert;
  readonly 'ops:log_update': LogUpdate;
  readonly 'ops:webhook_event': WebhookEvent;
  readonly 'ops:posco_event': PoscoEvent;
}

/** A message of a topic that nothing more is known of. */
export type AnyMessage = Positioned & Readonly<Record<string, unknown>>;

/** The messages of a topic, by its name. */
export type MessageOf<Topic extends string> = Topic extends keyof OwnTopics
  ? OwnTopics[Topic]
  : Topic extends keyof Broadcasts
    ? Broadcasts[Topic]
    : Topic extends `price:${string}`
      ? PriceUpdate
      : Topic extends `/topic/waiting-queue/${string}`
        ? WaitingQueueMessage
        : Topic extends `/topic/reservations/${string}`
          ? ReservationStatus
          : AnyMessage;
