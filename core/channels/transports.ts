import { PushError } from '../errors.ts';
import type { PushMode } from '../names.ts';
import type { Channels } from './channels.ts';

export const isOffered = (transport: 'sse' | 'websocket', mode: PushMode): boolean => mode === 'both' || mode === transport;

/** Throws if this deployment does not offer the transport. The error says what to use instead. */
export function checkMode(transport: 'sse' | 'websocket', mode: PushMode, { all }: Channels): void {
  if (isOffered(transport, mode)) return;
  const paths = (kind: 'stream' | 'registrations') => all.flatMap(({ http }) => http?.[kind] ?? []).join(', ');
  const use =
    transport === 'websocket'
      ? `Server-Sent Events: GET ${paths('stream')}`
      : `STOMP over WebSocket at /ws, registered for by POST ${paths('registrations')}`;
  throw new PushError('CHANNEL_DISABLED', `APP_PUSH_MODE is ${mode}: use ${use}`, { mode, use });
}
