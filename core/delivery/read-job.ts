import * as v from 'valibot';
import { quote } from '../base/text.ts';
import { optional } from '../base/validation.ts';
import { PoisonError } from '../errors.ts';
import type { Job } from '../ports/jobs.ts';

const id = v.pipe(v.string(), v.nonEmpty());
const whole = v.pipe(v.number(), v.integer(), v.minValue(0));

const JOBS = {
  drain: v.object({ kind: v.literal('drain'), topic: id, shard: whole, repeat: optional(v.literal(true)), handOns: optional(whole) }),
  greet: v.object({ kind: v.literal('greet'), connectionId: id, atMs: v.number(), isLast: optional(v.literal(true)) }),
  'expect-connect': v.object({ kind: v.literal('expect-connect'), connectionId: id }),
  'close-refused': v.object({ kind: v.literal('close-refused'), connectionId: id }),
  'end-user': v.object({ kind: v.literal('end-user'), userId: id, beforeMs: v.number(), reason: id }),
  ping: v.object({ kind: v.literal('ping'), connectionIds: v.array(id) }),
  beat: v.object({ kind: v.literal('beat'), connectionIds: v.array(id) }),
  reconnect: v.object({ kind: v.literal('reconnect'), connectionIds: v.array(id), afterMs: whole, withinMs: whole }),
  keepalive: v.object({ kind: v.literal('keepalive'), topics: v.array(id) }),
} satisfies { readonly [Kind in Job['kind']]: v.GenericSchema<unknown, Extract<Job, { kind: Kind }>> };

/** Throws a PoisonError if the value is not a job, and an Error if only a newer deployment knows its kind. */
export function readJob(value: unknown): Job {
  const kind = (value as { kind?: unknown } | null)?.kind;
  if (typeof kind !== 'string') throw new PoisonError('not a job: it has no kind');
  if (!Object.hasOwn(JOBS, kind)) throw new Error(`unknown job: ${quote(value, 200)}`);
  const read = v.safeParse(JOBS[kind as Job['kind']], value);
  if (!read.success) throw new PoisonError(`not a valid ${kind} job: ${v.summarize(read.issues).replaceAll('\n', ' ')}`);
  return read.output as Job;
}
