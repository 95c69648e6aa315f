/** A page in happy-dom, as a browser's globals: for tests that render. */
import { Window } from 'happy-dom';

export interface RenderedPage {
  readonly window: Window;
  readonly place: { readonly textContent: string; querySelector(name: string): { click(): void } | null };
  /** Puts the globals back. */
  close(): void;
}

export function openPage(url: string, globals: Readonly<Record<string, unknown>> = {}): RenderedPage {
  const undo: (() => void)[] = [];
  const give = (name: string, value: unknown): void => {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    undo.push(() => (before ? Object.defineProperty(globalThis, name, before) : Reflect.deleteProperty(globalThis, name)));
  };
  const window = new Window({ url });
  give('window', window);
  give('document', window.document);
  give('navigator', { userAgent: 'test' });
  for (const [name, value] of Object.entries(globals)) give(name, value);
  const place = window.document.createElement('div');
  window.document.body.append(place);
  return {
    window,
    place: place as unknown as RenderedPage['place'],
    close() {
      for (const one of undo.splice(0)) one();
      void window.happyDOM.close();
    },
  };
}
