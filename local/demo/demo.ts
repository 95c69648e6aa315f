export interface DemoOptions {
  readonly url: string;
  readonly key: string;
  readonly warn: (message: string) => void;
}
export function startDemo(_: DemoOptions): () => Promise<void> {
  return async () => undefined;
}
