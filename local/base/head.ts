import type { IncomingMessage } from 'node:http';

/** A message's headers as they came: names and values, repeated ones too. */
export const headerPairs = (rawHeaders: readonly string[]): (readonly [name: string, value: string])[] =>
  rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ''] as const] : []));

/** The platform's limit of request line and headers together. */
const MAX_HEAD_BYTES = 10_240;

/** Whether API Gateway would refuse the request for the length of its head. */
export function isHeadTooLong({ method = '', url = '', rawHeaders }: IncomingMessage): boolean {
  // Node makes one character of each byte
  const headers = rawHeaders.reduce((sum, text) => sum + text.length + 2, 0);
  return `${method} ${url} HTTP/1.1\r\n`.length + headers > MAX_HEAD_BYTES;
}
