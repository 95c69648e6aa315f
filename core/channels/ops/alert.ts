import * as v from 'valibot';
import { filterBy, freeForm, opsChannel, prose, word } from './ops.ts';

export const ALERT_LEVELS = ['info', 'warning', 'error', 'critical'] as const;

/** What somebody should look at. */
export const alertChannel = opsChannel({
  type: 'alert',
  kind: 'log',
  detailType: 'AlertRaised',
  idPrefix: 'alert_',
  filtering: filterBy('alert_levels', 'level'),
  entries: {
    level: v.picklist(ALERT_LEVELS),
    title: prose,
    message: prose,
    category: word,
    source: word,
    actions: v.optional(v.array(v.object({ label: prose, action: word })), []),
    metadata: v.optional(freeForm, {}),
  },
});
