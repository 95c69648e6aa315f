/** In every schema of the engine and the systems, an optional field may be null: see `optional` in core/base/validation.ts. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const sources = ['core', 'systems'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${folder}/${file}`),
);

test('no schema has an optional field in any other way, nor a record that drops names', () => {
  const others = sources
    // the answers that route-docs.ts describe are ours: nobody leaves a field of them out, or null
    .filter((file) => file !== 'core/base/validation.ts' && !file.endsWith('/route-docs.ts'))
    .flatMap((file) =>
      /\bv\.(optional|nullish|exactOptional|undefinedable|record|partial)\(/.test(readFileSync(file, 'utf8')) ? [file] : [],
    );

  expect(sources.length).toBeGreaterThan(100);
  expect(others).toEqual([]);
});
