/** The subprotocol of a handshake: a STOMP version, or our own for JSON clients that must offer one. */
import { STOMP_VERSIONS, type StompVersion } from '../protocol/stomp-frame.ts';

/** Our own subprotocol. A client offers it beside its token, because the handshake must echo one that was offered. */
const JSON_PROTOCOL = 'push.json.v1';

export interface Subprotocol {
  /** `null`: the client speaks JSON, or shows its dialect with its first frame. */
  readonly stomp: StompVersion | null;
  /** The value that the handshake echoes; `null` = none. */
  readonly echo: string | null;
}

/** The values of a `Sec-WebSocket-Protocol` header. */
export const offeredProtocols = (header: string | null): readonly string[] => (header ?? '').split(',').map((one) => one.trim());

export function chooseSubprotocol(offered: readonly string[]): Subprotocol {
  const stomp = STOMP_VERSIONS.find((one) => offered.includes(nameOf(one))) ?? null;
  if (stomp !== null) return { stomp, echo: nameOf(stomp) };
  return { stomp, echo: offered.includes(JSON_PROTOCOL) ? JSON_PROTOCOL : null };
}

const nameOf = (version: StompVersion): string => `v${version.replace('.', '')}.stomp`;
