/** Every threat in `docs/security.md`, and every statement of the original in `docs/protocol.md`, names a test that exists. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Rows of the tables of a file whose head begins like this. */
const rowsOf = (file: string, head: string): string[] => {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    if (!line.startsWith('| ') || line.startsWith('| ---') || line.startsWith(head)) return [];
    const above = lines.slice(0, index).findLast((one) => one.startsWith(head) || one === '');
    return above === '' || above === undefined ? [] : [line];
  });
};
const threats = rowsOf('docs/security.md', '| threat |');
const statements = rowsOf('docs/protocol.md', '| the original says |');

test('there are threats, and statements', () => {
  expect(threats.length).toBeGreaterThan(30);
  expect(statements.length).toBeGreaterThan(45);
});

test.each([...threats, ...statements].map((row) => [row.split('|')[1]?.trim() ?? '', row]))('%s', (_, row) => {
  const [, file = '', title = ''] = /\]\(\.\.\/(test\/[\w/-]+\.test\.ts)\) "(.+)" \|$/.exec(row) ?? [];
  expect(file, 'the last column: [a test](its file) "its title"').not.toBe('');
  const text = readFileSync(file, 'utf8').replaceAll("\\'", "'");
  const escaped = title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  // after `test(` or the end of `test.each(…)(`, in quotes of any kind; some titles begin with a number that is put in
  expect(text, `${file} has a test ${title}`).toMatch(
    new RegExp(`(test\\(|^\\s*\\)\\(|\\]\\)\\(|\\)\\()\\s*['"\`](\\$\\{.+?\\} )?${escaped}`, 'm'),
  );
});
