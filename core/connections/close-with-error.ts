import type { PushError } from '../errors.ts';
import type { Dialect } from '../ports/audience.ts';
import type { Ports } from '../ports/ports.ts';
import { encodeError } from '../protocol/encode.ts';
import { AFTER_JSON } from '../protocol/stomp.ts';
import { type DisconnectPorts, disconnect } from './disconnect.ts';
import { reply } from './reply.ts';

/** Ends a connection: sends the reason if the client still takes it, closes the socket, and deletes the connection. */
export async function closeWithError(
  { connectionId, dialect }: { readonly connectionId: string; readonly dialect: Dialect },
  reason: PushError,
  ports: DisconnectPorts & Pick<Ports, 'gateway'>,
  /** STOMP: the receipt that the failed frame asked for, and whether the client may have been greeted in JSON. */
  { receipt = null, afterJson = false }: { readonly receipt?: string | null; readonly afterJson?: boolean } = {},
): Promise<void> {
  const text = encodeError(reason, dialect, ports.clock.now(), receipt);
  await reply(connectionId, afterJson ? AFTER_JSON + text : text, ports);
  await ports.gateway.close(connectionId);
  await disconnect(connectionId, ports);
}
