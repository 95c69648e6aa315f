import { describe, expect, test } from 'vitest';
import { linesOf, MAX_LINE_BYTES } from '../../../../systems/operations/agent/tail/lines.ts';

const textsOf = (lines: readonly { text: string }[]) => lines.map(({ text }) => text);

/** Reads a text in two pieces, as a file that grows. */
function inTwo(bytes: Buffer, split: number): string[] {
  const first = linesOf(bytes.subarray(0, split), 0);
  const second = linesOf(bytes.subarray(first.end), first.end, { isLast: true, skips: first.skips });
  return textsOf([...first.lines, ...second.lines]);
}

test('every split point of a text gives the same lines, whatever its characters and line ends', () => {
  const bytes = Buffer.from('가격 😀 하나\r\n\nplain\r\n끝😀');
  for (let split = 0; split <= bytes.length; split++) expect(inTwo(bytes, split)).toEqual(['가격 😀 하나', '', 'plain', '끝😀']);
});

test('lines have their place in the file', () => {
  const { lines, end } = linesOf(Buffer.from('ab\r\nc\nrest'), 100);
  expect(lines).toEqual([
    { offset: 100, end: 104, text: 'ab', isPartial: false },
    { offset: 104, end: 106, text: 'c', isPartial: false },
  ]);
  expect(end).toBe(106);
  expect(linesOf(Buffer.from('rest'), 106, { isLast: true }).lines).toEqual([{ offset: 106, end: 110, text: 'rest', isPartial: true }]);
});

describe('a line that is too long', () => {
  test.each([MAX_LINE_BYTES - 1, MAX_LINE_BYTES, MAX_LINE_BYTES + 1, 3 * MAX_LINE_BYTES])(
    'of %i bytes hides nothing behind it',
    (length) => {
      const bytes = Buffer.from(`${'x'.repeat(length)}\nnext\n`);
      for (const split of [10, MAX_LINE_BYTES, MAX_LINE_BYTES + 1, length, length + 1]) {
        const [first = '', ...others] = inTwo(bytes, Math.min(split, bytes.length));
        expect(first.length).toBeLessThanOrEqual(MAX_LINE_BYTES + 10);
        expect(first.endsWith('(cut)')).toBe(length > MAX_LINE_BYTES);
        expect(others).toEqual(['next']);
      }
    },
  );

  test('is cut between characters', () => {
    const [line] = linesOf(Buffer.from(`${'가'.repeat(MAX_LINE_BYTES)}\n`), 0).lines;
    expect(line?.text.replace(' … (cut)', '')).toMatch(/^가+$/);
  });
});
