/** Halves of surrogate pairs that a JSON text has as escapes: a parser makes lone surrogates of them, which strict ones refuse. */
export const halves = (text: string): string[] =>
  text.replaceAll('\\\\', '').match(/\\u[dD][89a-fA-F][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])/g) ?? [];
