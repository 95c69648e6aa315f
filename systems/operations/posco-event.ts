import * as v from 'valibot';
import { integer } from '../../core/base/numbers.ts';
import { optional } from '../../core/base/validation.ts';
import { opsChannel, prose, word } from './ops-channel.ts';

const progress = v.pipe(integer, v.minValue(0, 'expected 0 to 100'), v.maxValue(100, 'expected 0 to 100'));

const step = v.object({
  name: prose,
  status: v.picklist(['completed', 'in_progress', 'pending']),
  duration_ms: optional(integer),
  progress: optional(progress),
});

/** The progress of deployments. */
export const poscoEventChannel = opsChannel({
  type: 'posco_event',
  kind: 'log',
  detailType: 'PoscoChanged',
  idPrefix: 'posco_',
  filtering: null,
  entries: {
    event_type: word,
    branch: word,
    commit_hash: word,
    deployment_id: word,
    status: word,
    progress,
    message: prose,
    steps: optional(v.array(step), []),
  },
});
