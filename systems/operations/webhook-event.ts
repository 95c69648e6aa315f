import * as v from 'valibot';
import { integer } from '../../core/base/numbers.ts';
import { instant } from '../../core/base/validation.ts';
import { opsChannel, prose, word } from './ops-channel.ts';

/** Words that many webhook addresses begin with: they give no secret away. */
const PLAIN: ReadonlySet<string> = new Set(['api', 'hook', 'hooks', 'services', 'webhook', 'webhooks', 'v1', 'v2', 'v3']);

/** Masks the part of an address that may be secret: anybody who knows a webhook's whole address may post to it. */
export function maskUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.host === '') return '...';
  const segments = url.pathname.split('/').filter((segment) => segment !== '');
  const secret = segments.findIndex((segment) => !PLAIN.has(segment));
  const plain = secret === -1 ? segments : segments.slice(0, secret);
  const masked = plain.length < segments.length || url.search !== '' || url.hash !== '';
  return `${url.protocol}//${url.host}/${[...plain, ...(masked ? ['...'] : [])].join('/')}`;
}

export const WEBHOOK_EVENT = { type: 'webhook_event', detailType: 'WebhookSettled', idPrefix: 'webhook_' } as const;

/** Webhooks that were sent, or failed. */
export const webhookEventChannel = opsChannel({
  ...WEBHOOK_EVENT,
  kind: 'log',
  filtering: null,
  entries: {
    webhook_id: word,
    event_type: word,
    webhook_type: word,
    url: v.pipe(v.string(), v.transform(maskUrl)),
    status: word,
    response_code: integer,
    message: prose,
    sent_at: instant,
    response_time_ms: integer,
  },
});
