/** A change of a service as the event that is published. */
import type { ServiceConfig } from '../config.ts';
import type { Change } from './service.ts';

/** `detail` of `ServiceChanged`. */
export interface ServiceChanged {
  readonly service_id: string;
  readonly service_name: string;
  readonly event_type: Change['type'] | 'config_changed';
  readonly status: Change['status'] | 'unknown';
  readonly message: string;
  readonly details: { readonly pid?: number; readonly port?: number; readonly config_file?: string };
  /** Of the command that it answers. */
  readonly command_id?: string;
  /** ISO 8601. */
  readonly timestamp: string;
}

/** A change of a service, or the reason why a command was refused. */
export interface Said extends Omit<Change, 'type' | 'status'> {
  readonly type: ServiceChanged['event_type'];
  readonly status: ServiceChanged['status'];
  /** Path of the config that was changed. */
  readonly configFile?: string | null;
}

/**
 * @param config of the service; `undefined` = the agent has no such service
 * @param atMs the server's time
 */
export function serviceChanged(id: string, config: ServiceConfig | undefined, said: Said, atMs: number): ServiceChanged {
  const { type, status, message, pid, commandId, configFile } = said;
  return {
    service_id: id,
    service_name: config?.name ?? id,
    event_type: type,
    status,
    message,
    details: {
      ...(pid === null ? {} : { pid }),
      ...(config?.port == null ? {} : { port: config.port }),
      ...(configFile == null ? {} : { config_file: configFile }),
    },
    ...(commandId === null ? {} : { command_id: commandId }),
    timestamp: new Date(atMs).toISOString(),
  };
}
