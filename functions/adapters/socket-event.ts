/** What API Gateway sends to WebSocket functions, as far as they read it. (`@types/aws-lambda` lacks half of it.) */
export interface SocketEvent {
  readonly requestContext: {
    readonly connectionId: string;
    readonly requestId: string;
    readonly requestTimeEpoch: number;
    readonly connectedAt: number;
    readonly identity?: { readonly sourceIp?: string };
  };
  /** Only on `$connect`. Their case is the client's. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export function headerOf(event: { readonly headers?: Readonly<Record<string, string | undefined>> }, name: string): string | null {
  const found = Object.entries(event.headers ?? {}).find(([key]) => key.toLowerCase() === name);
  return found?.[1] ?? null;
}
