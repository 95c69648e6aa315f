import type { PushError } from '../errors.ts';
import type { Dialect, Gateway } from '../ports.ts';
import { encodeError } from '../protocol/encode.ts';
import { type DisconnectPorts, disconnect } from './disconnect.ts';
import { answer } from './reply.ts';

/** Ends a connection with a reason: tells it, as far as it hears, closes it, and forgets it. */
export async function dismiss(
  { connectionId, dialect }: { readonly connectionId: string; readonly dialect: Dialect },
  reason: PushError,
  ports: DisconnectPorts & { readonly gateway: Gateway },
  receipt: string | null = null,
): Promise<void> {
  await answer(connectionId, encodeError(reason, dialect, ports.clock.now(), receipt), ports);
  await ports.gateway.close(connectionId);
  await disconnect(connectionId, ports);
}
