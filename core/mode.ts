import { PushError } from './errors.ts';
import type { PushMode } from './names.ts';

/** What to use instead, by transport. */
const INSTEAD = {
  websocket: 'GET /api/v1/waiting-queue/subscribe and GET /api/reservations/v5/subscribe (Server-Sent Events)',
  sse: 'STOMP over WebSocket at /ws, registered for by POST /api/push/websocket/…/subscriptions',
} as const;

/** Throws where this deployment does not offer the transport. */
export function checkMode(transport: 'sse' | 'websocket', mode: PushMode): void {
  if (mode === 'both' || mode === transport) return;
  throw new PushError('CHANNEL_DISABLED', `APP_PUSH_MODE is ${mode}: use ${INSTEAD[transport]}`, { mode, use: INSTEAD[transport] });
}
