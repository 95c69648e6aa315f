/** Every threat in `docs/security.md` names a test that exists. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const lines = readFileSync('docs/security.md', 'utf8').split('\n');
/** Rows of the tables of threats: their head says `test`. */
const rows = lines.flatMap((line, index) => {
  if (!line.startsWith('| ') || line.startsWith('| ---') || line.startsWith('| threat |')) return [];
  const head = lines.slice(0, index).findLast((one) => one.startsWith('| threat |') || one === '');
  return head === '' || head === undefined ? [] : [line];
});

test('there are threats', () => {
  expect(rows.length).toBeGreaterThan(30);
});

test.each(rows.map((row) => [row.split('|')[1]?.trim() ?? '', row]))('%s', (_, row) => {
  const [, file = '', title = ''] = /\]\(\.\.\/(test\/[\w/-]+\.test\.ts)\) "(.+)" \|$/.exec(row) ?? [];
  expect(file, 'the last column: [a test](its file) "its title"').not.toBe('');
  const text = readFileSync(file, 'utf8').replaceAll("\\'", "'");
  const escaped = title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  // after `test(` or the end of `test.each(…)(`, in quotes of any kind; some titles begin with a number that is put in
  expect(text, `${file} has a test ${title}`).toMatch(
    new RegExp(`(test\\(|^\\s*\\)\\(|\\]\\)\\(|\\)\\()\\s*['"\`](\\$\\{.+?\\} )?${escaped}`, 'm'),
  );
});
