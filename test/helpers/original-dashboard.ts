/** The original's React dashboard, unchanged, rendered in a page of its own. */
import { createRequire } from 'node:module';
import { transform } from 'esbuild';
import type WebSocket from 'ws';
import { originalSource } from './originals.ts';
import { openPage } from './page.ts';

export interface OriginalDashboard {
  text(): string;
  /** Presses its one button: `restartService('posco_news')`. */
  restart(): void;
  /** Takes it off the page. */
  unmount(): void;
  close(): void;
}

export async function renderDashboard(url: string, Socket: new (url: string) => WebSocket): Promise<OriginalDashboard> {
  const page = openPage(url, { WebSocket: Socket });
  const { place } = page;
  const require = createRequire(import.meta.url);
  const React = require('react') as typeof import('react');
  const { createRoot } = require('react-dom/client') as typeof import('react-dom/client');
  const source = `${await originalSource('dashboard.jsx', url)}\nexport { Dashboard };`;
  const { code } = await transform(source, { loader: 'jsx', format: 'cjs', jsx: 'transform' });
  const module = { exports: {} as { Dashboard: () => unknown } };
  new Function('require', 'module', 'exports', 'React', code)(require, module, module.exports, React);
  const root = createRoot(place as unknown as Parameters<typeof createRoot>[0]);
  root.render(React.createElement(module.exports.Dashboard as () => null));
  return {
    text: () => place.textContent ?? '',
    restart: () => place.querySelector('button')?.click(),
    unmount: () => root.unmount(),
    close: page.close,
  };
}
