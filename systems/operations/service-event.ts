import * as v from 'valibot';
import { integer } from '../../core/base/numbers.ts';
import { optional } from '../../core/base/validation.ts';
import { filterBy, opsChannel, prose, word } from './ops-channel.ts';

export const SERVICE_EVENT = { type: 'service_event', detailType: 'ServiceChanged', idPrefix: 'service_' } as const;

/** Starts, stops and failures of services: each counts. */
export const serviceEventChannel = opsChannel({
  ...SERVICE_EVENT,
  kind: 'log',
  filtering: filterBy('service_ids', 'service_id', word),
  entries: {
    service_id: word,
    service_name: word,
    event_type: v.picklist(['started', 'stopped', 'restarted', 'error', 'recovered', 'config_changed']),
    status: word,
    message: prose,
    details: optional(v.object({ pid: optional(integer), port: optional(integer), config_file: optional(prose) }), {}),
    // of the command that it answers
    command_id: optional(word),
  },
});
