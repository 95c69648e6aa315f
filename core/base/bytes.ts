const encoder = new TextEncoder();

/** Length of a text in UTF-8, in bytes. */
export const byteLength = (text: string): number => encoder.encode(text).length;
