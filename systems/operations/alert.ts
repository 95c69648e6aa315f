import * as v from 'valibot';
import { optional } from '../../core/base/validation.ts';
import { filterBy, freeForm, opsChannel, prose, word } from './ops-channel.ts';

const level = v.pipe(v.string(), v.toLowerCase(), v.picklist(['info', 'warning', 'error', 'critical']));

/** Something that needs attention. */
export const alertChannel = opsChannel({
  type: 'alert',
  kind: 'log',
  detailType: 'AlertRaised',
  idPrefix: 'alert_',
  filtering: filterBy('alert_levels', 'level', level),
  entries: {
    level,
    title: prose,
    message: prose,
    category: word,
    source: word,
    actions: optional(v.array(v.object({ label: prose, action: word })), []),
    metadata: optional(freeForm, {}),
  },
});
