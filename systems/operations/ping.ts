/** `ping`: answered by `pong`, with the time the message took. */
import * as v from 'valibot';
import { isoOf } from '../../core/base/time.ts';
import { clientMessage } from '../../core/channels/system.ts';

/** With or without a zone: many languages leave it out and mean UTC. */
const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?$/;
const msOf = (iso: string): number => Date.parse(/(Z|[+-]\d{2}:\d{2})$/.test(iso) ? iso : `${iso}Z`);

const clientTime = v.pipe(
  v.string(),
  v.check((text) => ISO.test(text) && !Number.isNaN(msOf(text)), 'expected ISO 8601, such as 2026-02-06T22:48:44.590Z'),
);

export const ping = clientMessage(v.object({ data: v.object({ client_time: clientTime }) }), async ({ data }, session) => {
  const nowMs = session.ports.clock.now();
  const timestamp = isoOf(nowMs);
  const latency = Math.max(0, Math.floor(nowMs - msOf(data.client_time)));
  const pong = { client_time: data.client_time, server_time: timestamp, latency_ms: latency };
  await session.reply(JSON.stringify({ type: 'pong', data: pong, timestamp }));
});
