import { postEvents } from '../../local/publisher.ts';
import { bearer, type Deployed } from '../deployed.ts';
import { type SocketClient, type SocketOptions, withSocket } from '../socket-client.ts';

/** A fact of the platform that documents do not settle: what this project assumes, and what was seen. */
export interface Fact {
  readonly fact: string;
  readonly assumed: string;
  readonly seen: string;
  /** `null` = it is only measured. */
  readonly agrees: boolean | null;
}

export const compared = (fact: string, assumed: string, seen: string): Fact => ({ fact, assumed, seen, agrees: assumed === seen });
export const measured = (fact: string, assumed: string, seen: string): Fact => ({ fact, assumed, seen, agrees: null });

/** The deployment that is probed. */
export interface Probed extends Pick<Deployed, 'api' | 'socket' | 'streams' | 'token'> {
  readonly key: string;
  /** The token's user; without identity any number does. */
  readonly user: string;
  /** The source of the canaries. */
  readonly source: string;
}

/** An answer may take this long. */
export const ANSWER_MS = 10_000;

export function withClient<Result>(
  probed: Probed,
  protocols: readonly string[],
  work: (client: SocketClient) => Promise<Result>,
): Promise<Result> {
  const options: SocketOptions = { url: probed.socket, headers: bearer(probed.token), protocols, openMs: ANSWER_MS };
  return withSocket(options, work);
}

/** A STOMP session. `clientId` is the one that it was given, and stands in the log beside its connection's id. */
export function withStomp<Result>(probed: Probed, work: (client: SocketClient, clientId: string) => Promise<Result>): Promise<Result> {
  return withClient(probed, ['v12.stomp'], async (client) => {
    client.socket.send('CONNECT\naccept-version:1.2\nheart-beat:0,0\n\n\0');
    const connected = await client.until((text) => text.startsWith('CONNECTED'), ANSWER_MS);
    const clientId = /^session:(.+)$/m.exec(connected ?? '')?.[1];
    if (clientId === undefined) throw new Error(`a STOMP session did not open; got ${JSON.stringify(client.texts)}`);
    return work(client, clientId);
  });
}

/** Publishes one event past the bus. Throws if it is not taken. */
export async function publishOne(event: Omit<Parameters<typeof postEvents>[2][number], 'id'>, { api, key }: Probed): Promise<void> {
  const { rejected } = await postEvents(api, key, [event], 'direct');
  if (rejected[0]) throw new Error(`POST /internal/events rejects ${event.source} ${event.detailType}: ${rejected[0].error_message}`);
}
