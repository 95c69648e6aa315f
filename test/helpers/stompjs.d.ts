/** The old client, as far as the tests use it. */
declare module 'stompjs/lib/stomp.js' {
  interface OldClient {
    debug: (text: string) => void;
    connect(headers: object, onConnect: () => void, onError: (error: unknown) => void): void;
    subscribe(destination: string, onMessage: (message: { readonly body: string }) => void): void;
    disconnect(onEnd: () => void): void;
  }
  export const Stomp: { over(socket: unknown): OldClient };
}
