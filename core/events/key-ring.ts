/**
 * The publish keys, one or two for each source and each agent: the new one and the one before are valid side by side, so
 * that a change interrupts nobody. They are kept as digests.
 */
import * as v from 'valibot';
import { optional } from '../base/validation.ts';
import type { AgentScope, KeyHolder } from '../ports/events.ts';

/** Stands for every source, and for what is done about users. */
export const EVERY_SOURCE = '*';

export interface RingKey {
  readonly source: string;
  /** Without it, it is no agent's key. */
  readonly agent?: AgentScope | undefined;
  /** SHA-256 of the key, in hex. */
  readonly sha256: string;
  /** When it was made, ISO 8601. */
  readonly made: string;
}

/** Oldest first. */
export type KeyRing = readonly RingKey[];

const MOST_OF_A_SOURCE = 2;

const ring = v.object({
  keys: v.array(
    v.object({
      source: v.string(),
      agent: optional(v.object({ id: v.string(), only: v.array(v.object({ field: v.string(), values: v.array(v.string()) })) })),
      sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
      made: v.string(),
    }),
  ),
});

/** The ring in a secret's text; `null` if the text is one plain key, as a new deployment has it. */
export function readRing(text: string): KeyRing | null {
  if (!text.startsWith('{')) return null;
  const read = v.safeParse(ring, JSON.parse(text));
  if (!read.success) throw new Error('the secret holds no keys that can be read: restore its version before');
  return read.output.keys;
}

export const formatRing = (keys: KeyRing): string => JSON.stringify({ keys });

/** The name by which a key is listed and revoked. */
export const idOf = ({ sha256 }: RingKey): string => sha256.slice(0, 8);

/** The name of a key's holder: its source, or its agent. */
export const holderName = ({ source, agent }: KeyHolder | RingKey): string => (agent ? `agent ${agent.id}` : source);

const ofHolder = (keys: KeyRing, key: RingKey): KeyRing => keys.filter((one) => holderName(one) === holderName(key));

/** The first key of a source or agent. Throws an error that says what to do if it has one. */
export function addKey(keys: KeyRing, added: RingKey): KeyRing {
  if (ofHolder(keys, added).length > 0) throw new Error(`${holderName(added)} has a key: rotate it, or revoke it first`);
  return [...keys, added];
}

/** A new key of a source or agent that has one. The newest before stays valid, an older one does not. */
export function rotateKey(keys: KeyRing, added: RingKey): KeyRing {
  const own = ofHolder(keys, added);
  if (own.length === 0) throw new Error(`${holderName(added)} has no key: add one first`);
  const dropped = own.slice(0, Math.max(0, own.length - MOST_OF_A_SOURCE + 1));
  return [...keys.filter((key) => !dropped.includes(key)), added];
}

/** The ring without a key, by its id. Throws if there is none. */
export function revokeKey(keys: KeyRing, id: string): KeyRing {
  const left = keys.filter((key) => idOf(key) !== id);
  if (left.length === keys.length) throw new Error(`there is no key ${id}: list them`);
  return left;
}
