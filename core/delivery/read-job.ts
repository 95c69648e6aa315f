import * as v from 'valibot';
import { quote } from '../base/text.ts';
import { optional } from '../base/validation.ts';
import { PoisonError } from '../errors.ts';
import type { Job } from '../ports/jobs.ts';

const id = v.pipe(v.string(), v.nonEmpty());
const whole = v.pipe(v.number(), v.integer(), v.minValue(0));

const JOBS = {
  drain: v.object({ kind: v.literal('drain'), topic: id, shard: whole, repeat: optional(v.literal(true)), handOns: optional(whole) }),
  greet: v.object({ kind: v.literal('greet'), connectionId: id, atMs: v.number() }),
  'expect-connect': v.object({ kind: v.literal('expect-connect'), connectionId: id }),
  'close-refused': v.object({ kind: v.literal('close-refused'), connectionId: id }),
  ping: v.object({ kind: v.literal('ping'), connectionIds: v.array(id) }),
  keepalive: v.object({ kind: v.literal('keepalive'), topics: v.array(id) }),
} satisfies Record<Job['kind'], v.GenericSchema>;

/** Throws a PoisonError for what is no job, and an Error for a job of a kind that only a newer deployment's function knows. */
export function readJob(value: unknown): Job {
  const kind = (value as { kind?: unknown } | null)?.kind;
  if (typeof kind !== 'string') throw new PoisonError('it is no job: it has no kind');
  if (!Object.hasOwn(JOBS, kind)) throw new Error(`unknown job: ${quote(value, 200)}`);
  const read = v.safeParse(JOBS[kind as Job['kind']], value);
  if (!read.success) throw new PoisonError(`it is no ${kind} job: ${v.summarize(read.issues).replaceAll('\n', ' ')}`);
  return read.output as Job;
}
