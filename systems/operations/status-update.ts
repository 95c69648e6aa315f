import * as v from 'valibot';
import { wholeNumber } from '../../core/base/numbers.ts';
import { opsChannel, percent, word } from './ops-channel.ts';

/** A machine's load and health: the newest wins. */
export const statusUpdateChannel = opsChannel({
  type: 'status_update',
  kind: 'state',
  detailType: 'StatusUpdated',
  idPrefix: 'status_',
  filtering: null,
  entries: {
    cpu_percent: percent,
    memory_percent: percent,
    disk_usage: percent,
    network_status: word,
    /** Seconds. */
    uptime: v.pipe(v.number(), v.finite(), v.minValue(0, 'expected 0 or more')),
    active_services: wholeNumber,
  },
});
