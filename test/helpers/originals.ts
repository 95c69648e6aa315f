import { readFile } from 'node:fs/promises';

/** An example of the original's documentation, unchanged except for the address. */
export async function originalSource(name: string, baseUrl: string): Promise<string> {
  const source = await readFile(new URL(`../clients/originals/${name}`, import.meta.url), 'utf8');
  if (!source.includes('ws://localhost:8000/ws')) throw new Error(`${name} names no address`);
  return source.replaceAll('ws://localhost:8000/ws', `${baseUrl.replace('http', 'ws')}/ws`);
}
