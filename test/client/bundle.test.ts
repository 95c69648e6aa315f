/** The bundle that a page downloads: its size, its imports, and that importing it touches nothing. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sharedHost } from '../helpers/host.ts';

const folder = mkdtempSync(join(tmpdir(), 'push-client-'));
const bundles: Record<string, { readonly text: string; readonly inputs: string[] }> = {};
beforeAll(async () => {
  for (const name of ['index', 'react']) {
    const { outputFiles, metafile } = await build({
      entryPoints: [`client/${name}.ts`],
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      external: ['react'],
      write: false,
      metafile: true,
      outfile: join(folder, `${name}.mjs`),
    });
    bundles[name] = { text: outputFiles[0]?.text ?? '', inputs: Object.keys(metafile.inputs) };
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the library has at most 12,288 bytes, minified and gzipped, and takes nothing from elsewhere', () => {
  const { text = '', inputs = [] } = bundles['index'] ?? {};
  expect(gzipSync(text, { level: 9 }).length).toBeLessThanOrEqual(12_288);
  expect(inputs.filter((path) => !path.startsWith('client/'))).toEqual([]);
  expect(inputs).not.toContain('client/react.ts');
  expect(text).not.toMatch(/\bfrom"|\brequire\(/);
});

test('the hooks take React, and nothing else', () => {
  const { text = '', inputs = [] } = bundles['react'] ?? {};
  expect([...text.matchAll(/from"([^"]+)"/g)].map(([, name]) => name)).toEqual(['react']);
  expect(inputs.filter((path) => !path.startsWith('client/'))).toEqual([]);
});

test('importing it touches nothing that an edge, a server or a phone does not have (41)', () => {
  // an import in a world with neither WebSocket nor fetch, document, process or timers
  const program = `
    import { createContext, SourceTextModule } from 'node:vm';
    const context = createContext({});
    const module = new SourceTextModule(${JSON.stringify(bundles['index']?.text)}, { context });
    await module.link(() => { throw new Error('it imports something'); });
    await module.evaluate();
    process.stdout.write(Object.keys(module.namespace).sort().join());`;
  const out = execFileSync(process.execPath, ['--experimental-vm-modules', '--no-warnings', '--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  expect(out).toBe('ClientError,WebSocketManager,createClient');
});

test('a deployment serves it, to pages of any origin', async () => {
  const host = sharedHost();
  const response = await fetch(`${host.url}/client.js`);
  expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  const { createClient } = (await import(`data:text/javascript,${encodeURIComponent(await response.text())}`)) as {
    createClient: (options: object) => { status: string };
  };
  expect(createClient({ url: host.url }).status).toBe('idle');
});
