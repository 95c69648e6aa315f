import type { PushError } from '../errors.ts';
import type { Dialect } from '../ports/audience.ts';
import type { Ports } from '../ports/ports.ts';
import { encodeError } from '../protocol/encode.ts';
import { type DisconnectPorts, disconnect } from './disconnect.ts';
import { reply } from './reply.ts';

/** Ends a connection: sends the reason if the client still takes it, closes the socket, and deletes the connection. */
export async function closeWithError(
  { connectionId, dialect }: { readonly connectionId: string; readonly dialect: Dialect },
  reason: PushError,
  ports: DisconnectPorts & Pick<Ports, 'gateway'>,
  receipt: string | null = null,
): Promise<void> {
  await reply(connectionId, encodeError(reason, dialect, ports.clock.now(), receipt), ports);
  await ports.gateway.close(connectionId);
  await disconnect(connectionId, ports);
}
