/** The first `most` characters of a text (UTF-16 units), and never half of one: strict parsers refuse a lone surrogate. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text.toWellFormed();
  const last = text.charCodeAt(most - 1);
  const splits = last >= 0xd800 && last < 0xdc00;
  return text.slice(0, splits ? most - 1 : most).toWellFormed();
}

/** The start of a value as JSON, for the error about it. */
export const quote = (value: unknown, most: number): string =>
  typeof value === 'string' ? JSON.stringify(cut(value, most)) : cut(JSON.stringify(value) ?? 'nothing', most);
