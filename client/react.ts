/** React hooks over a client. The client lives outside React: a strict or repeated mount opens nothing twice. */
import { createContext, createElement, type ReactNode, useContext, useEffect, useMemo, useSyncExternalStore } from 'react';
import type { AnyMessage, MessageOf } from './messages.ts';
import type { Client } from './options.ts';
import { type RawSocket, rawSocketStore } from './raw-socket.ts';
import type { Status } from './status.ts';
import { type LogOptions, latestStore, logStore, retain } from './stores.ts';

export type { RawSocket } from './raw-socket.ts';
export type { LogOptions } from './stores.ts';

const ClientContext = createContext<Client | null>(null);

/** Gives a client to the components beneath. Starts it with the first Provider, and closes it after the last. */
export function Provider({ client, children }: { readonly client: Client; readonly children?: ReactNode }): ReactNode {
  useEffect(() => retain(client), [client]);
  return createElement(ClientContext.Provider, { value: client }, children);
}

/** The client of the Provider above. Throws if there is none. */
export function useClient(): Client {
  const client = useContext(ClientContext);
  if (!client) throw new Error('there is no <Provider client={…}> above this component');
  return client;
}

export function useStatus(): Status {
  const client = useClient();
  const [subscribe, snapshot] = useMemo(
    () => [(listener: () => void) => client.on('status', listener), () => client.status] as const,
    [client],
  );
  return useSyncExternalStore(subscribe, snapshot, () => 'idle' as const);
}

/** The newest message of a state topic; `undefined` until there is one, and on a server. */
export function useLatest<Topic extends string>(topic: Topic): MessageOf<Topic> | undefined {
  const client = useClient();
  const { subscribe, snapshot } = latestStore(client, topic);
  return useSyncExternalStore(subscribe, snapshot, nothing) as MessageOf<Topic> | undefined;
}

const nothing = (): undefined => undefined;
const NONE: readonly AnyMessage[] = [];

/** The newest messages of a log topic, oldest first: every message once, also over reconnects. */
export function useLog<Topic extends string>(topic: Topic, options: LogOptions = {}): readonly MessageOf<Topic>[] {
  const client = useClient();
  const { subscribe, snapshot } = logStore(client, topic, options);
  return useSyncExternalStore(subscribe, snapshot, () => NONE) as readonly MessageOf<Topic>[];
}

/** The operations monitor's hook. `lastMessage` may skip some of those that come at once: `useLog` does not. */
export function useWebSocket(url: string): RawSocket & { readonly sendMessage: (message: unknown) => boolean } {
  const store = rawSocketStore(url);
  const state = useSyncExternalStore(store.subscribe, store.snapshot, store.snapshot);
  return { ...state, sendMessage: store.send };
}
