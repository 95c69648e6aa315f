/** Sends webhooks, apart from everything that clients wait for. Each ends in one outcome, told as `webhook_event`. */
import { cut } from '../../../core/base/text.ts';
import { isoOf } from '../../../core/base/time.ts';
import type { WorkerPorts } from '../../../core/channels/system.ts';
import type { Answer } from '../adapters/webhook-post.ts';
import { publish } from '../publish.ts';
import { maskUrl, WEBHOOK_EVENT, webhookEventChannel } from '../webhook-event.ts';
import { AddressError, hostOf, publicAddress, type Resolve, readAddress } from './address.ts';
import { WEBHOOK } from './name.ts';
import { backoff, retryAfter } from './retry-after.ts';
import { allowedHosts } from './settings.ts';
import { TARGETS } from './targets.ts';

/** A webhook that is still refused after so many tries has failed. */
const MOST_TRIES = 5;

export interface WebhookWork {
  readonly webhook_id: string;
  readonly webhook_type: string;
  readonly url: string;
  /** Ready to be sent. */
  readonly body: object;
  readonly tries: number;
}

/** The network, as the worker uses it. */
export interface Net {
  readonly resolve: Resolve;
  post(url: URL, address: string, body: string): Promise<Answer>;
  nameOf(url: URL): string;
  /** 0 to 1. */
  random(): number;
}

/** The outcome of a try. */
type Outcome =
  | { readonly kind: 'sent' | 'failed'; readonly code: number; readonly says: string }
  | { readonly kind: 'again'; readonly code: number; readonly says: string; readonly seconds: number };

/** Tries once. Nothing is thrown that holds the address: it is a secret, and errors are logged with the work that failed. */
export async function sendWebhook(work: WebhookWork, ports: WorkerPorts, net: Net): Promise<void> {
  const startedMs = ports.clock.now();
  const outcome = await attempt(work, ports, net, startedMs);
  const { webhook_id, tries } = work;
  const took = ports.clock.now() - startedMs;
  const to = URL.canParse(work.url) ? net.nameOf(new URL(work.url)) : '?';
  ports.report.info('webhook', { webhook_id, to, tries: tries + 1, outcome: outcome.kind, code: outcome.code, ms: took });
  if (outcome.kind === 'again' && tries + 1 < MOST_TRIES) return ports.work.put(WEBHOOK, { ...work, tries: tries + 1 }, outcome.seconds);
  const isSent = outcome.kind === 'sent';
  const detail = {
    webhook_id,
    command_id: webhook_id,
    event_type: isSent ? 'sent' : 'failed',
    webhook_type: work.webhook_type,
    url: maskUrl(work.url),
    status: isSent ? 'success' : 'failed',
    response_code: outcome.code,
    message: tries > 0 && !isSent ? `${outcome.says}; ${tries + 1} tries` : outcome.says,
    sent_at: isoOf(startedMs),
    response_time_ms: Math.max(0, Math.round(took)),
  };
  // a repeated try of the same outcome is the same event
  const id = `${webhook_id}.${tries}`;
  await publish({ id, source: webhookEventChannel.source, detailType: WEBHOOK_EVENT.detailType, detail }, 'direct', ports);
}

async function attempt(work: WebhookWork, ports: WorkerPorts, net: Net, nowMs: number): Promise<Outcome> {
  const failed = (says: string, code = 0): Outcome => ({ kind: 'failed', code, says });
  let host = '';
  try {
    const url = readAddress(work.url, allowedHosts(ports.settings));
    host = hostOf(url);
    const target = TARGETS[work.webhook_type];
    for (const [name, value] of Object.entries(target?.query ?? {})) url.searchParams.set(name, value);
    const address = await publicAddress(host, net.resolve);
    const answer = await net.post(url, address, JSON.stringify(work.body));
    return judged(answer, host, work, net, nowMs);
  } catch (error) {
    if (error instanceof AddressError) return failed(error.message);
    // the error's own text may hold the address
    const code = (error as { code?: unknown }).code;
    const isLate = (error as { name?: unknown }).name === 'AbortError';
    const why = isLate ? 'no answer in time' : typeof code === 'string' ? code : 'the request failed';
    return { kind: 'again', code: 0, says: `${host}: ${why}`, seconds: backoff(work.tries, net.random()) };
  }
}

function judged({ status, retryAfter: header, body }: Answer, host: string, { tries }: WebhookWork, net: Net, nowMs: number): Outcome {
  const says = `${host} answered ${status}`;
  if (status >= 200 && status < 300) return { kind: 'sent', code: status, says: cut(says, 200) };
  if (status === 429) return { kind: 'again', code: status, says, seconds: retryAfter(header, body, nowMs) };
  if (status >= 500)
    return {
      kind: 'again',
      code: status,
      says,
      seconds: Math.max(backoff(tries, net.random()), header === null ? 0 : retryAfter(header, body, nowMs)),
    };
  if (status >= 300 && status < 400) return { kind: 'failed', code: status, says: `${says}: redirects are not followed` };
  return { kind: 'failed', code: status, says };
}
