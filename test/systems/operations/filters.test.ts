/** The messages that pass a filter, compared with a second implementation of the rules. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { drain } from '../../../core/delivery/drain.ts';
import { ingest } from '../../../core/events/ingest.ts';
import { alert, log, logEntry, type PublishedEvent, SENT_AT_MS, service } from '../../helpers/events.ts';
import { memoryPorts, posted, senderOf } from '../../helpers/ports.ts';

const LEVELS = ['info', 'warning', 'error', 'critical'] as const;
const LOG_LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR'] as const;
const SERVICES = ['a', 'b', 'A', 'c d'] as const;

const anEvent = fc.oneof(
  fc.constantFrom(...LEVELS).map((level) => alert({ level })),
  fc.constantFrom(...SERVICES).map((service_id) => service({ service_id })),
  fc.array(fc.tuple(fc.constantFrom(...LOG_LEVELS), fc.boolean()), { minLength: 1, maxLength: 5 }).map((levels) =>
    log({
      entries: levels.map(([level, lower], index) => logEntry(lower ? level.toLowerCase() : level, `line ${index}`)),
      total_new_entries: levels.length,
    }),
  ),
);
const list = <Value>(values: readonly Value[]) => fc.option(fc.array(fc.constantFrom(...values), { maxLength: 3 }), { nil: undefined });
const someFilters = fc.option(
  fc.record({ service_ids: list([...SERVICES, 'nobody']), alert_levels: list(LEVELS), log_levels: list([...LOG_LEVELS, 'info', 'TRACE']) }),
  { nil: undefined },
);
interface Filters {
  readonly service_ids?: readonly string[] | undefined;
  readonly alert_levels?: readonly string[] | undefined;
  readonly log_levels?: readonly string[] | undefined;
}
type Entry = { level: string; message: string };

/** The rules: each filter touches its own type; an empty or missing list does not filter; an empty update is not sent. */
function expected({ detailType, detail }: PublishedEvent, filters: Filters = {}): unknown {
  const passes = (wanted: readonly string[] | undefined, value: unknown): boolean =>
    wanted === undefined || wanted.length === 0 || wanted.includes(String(value));
  if (detailType === 'AlertRaised') return passes(filters.alert_levels, detail['level']) ? detail['level'] : null;
  if (detailType === 'ServiceChanged') return passes(filters.service_ids, detail['service_id']) ? detail['service_id'] : null;
  const entries = (detail['entries'] as Entry[]).map(({ level, message }) => ({ level: level.toUpperCase(), message }));
  const wanted = filters.log_levels?.map((level) => level.toUpperCase());
  const left = entries.filter(({ level }) => passes(wanted, level));
  return left.length === 0 ? null : left.map(({ level, message }) => `${level} ${message}`);
}

function received({ type, data }: Record<string, unknown>): unknown {
  const fields = data as Record<string, unknown>;
  if (type === 'alert') return fields['level'];
  if (type === 'service_event') return fields['service_id'];
  const entries = fields['entries'] as Entry[];
  return entries.map(({ level, message }) => `${level} ${message}`);
}

const TYPE_OF: Record<string, string> = { AlertRaised: 'alert', ServiceChanged: 'service_event', LogAppended: 'log_update' };

test('a subscription gets what its filter passes, also after another filter replaced it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anEvent, { maxLength: 12 }), someFilters, someFilters, fc.nat(12), async (events, filters, later, change) => {
      const ports = memoryPorts();
      const send = await senderOf(ports, 'a');
      const choose = (some: Filters | undefined) =>
        send({ type: 'subscribe', data: { event_types: Object.values(TYPE_OF), ...(some ? { filters: some } : {}) } });
      await choose(filters);
      for (const [index, { source, detailType, detail }] of events.entries()) {
        if (index === change) {
          ports.clock.nowMs += 1;
          await choose(later);
        }
        const body = JSON.stringify({ id: `e${index}`, source, 'detail-type': detailType, time: '2026-02-06T03:00:00Z', detail });
        const bury = async (_: string, reason: string) => Promise.reject(new Error(reason));
        expect(await ingest([{ id: 'r', body, sentAtMs: SENT_AT_MS }], { ...ports, deadLetters: { bury } })).toEqual([]);
      }

      for (const [detailType, type] of Object.entries(TYPE_OF)) {
        const wanted = events
          .map((event, index) => (event.detailType === detailType ? expected(event, index >= change ? later : filters) : null))
          .filter((one) => one !== null);
        const messages = posted(ports, 'a').filter((message) => message['type'] === type);
        expect(messages.map(received)).toEqual(wanted);
        for (const { data } of messages) {
          const { entries, total_new_entries } = data as { entries?: Entry[]; total_new_entries?: number };
          if (entries) expect(total_new_entries).toBe(entries.length);
        }
      }
    }),
    { numRuns: 150 },
  );
});

test('a message that a filter drops is not delivered later', async () => {
  const ports = memoryPorts();
  const send = await senderOf(ports, 'a');
  await send({ type: 'subscribe', data: { event_types: ['alert'], filters: { alert_levels: ['critical'] } } });
  const publish = async (id: string, level: string) => {
    const { source, detailType, detail } = alert({ level });
    const body = JSON.stringify({ id, source, 'detail-type': detailType, time: '2026-02-06T03:00:00Z', detail });
    await ingest([{ id: 'r', body, sentAtMs: SENT_AT_MS }], { ...ports, deadLetters: { bury: async () => undefined } });
  };
  for (let index = 0; index < 120; index++) await publish(`e${index}`, 'info');
  await publish('last', 'critical');
  for (let again = 0; again < 3; again++) await drain({ topic: 'ops:alert', shard: 0 }, ports);

  const positions = posted(ports, 'a').flatMap(({ type, position }) => (type === 'alert' ? [String(position).split('-')[1]] : []));
  expect(positions).toEqual(['121']);
});
