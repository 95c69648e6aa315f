import { TurnLostError } from '../errors.ts';
import type { Clock, Turn, Turns } from '../ports.ts';

export interface LeaseSettings {
  /** How long a turn is held without being extended. */
  readonly turnMs: number;
  /** Nothing is posted within this much of the turn's end: more than a post may take. */
  readonly marginMs: number;
}

/** A turn that one holds. */
export interface Lease {
  readonly me: string;
  readonly first: Turn;
  /** Its last holder did not release it: it died at work, or is only slow and may still post. */
  readonly takenOver: boolean;
  /** Makes sure that there is time for a post, extending the turn if need be. Throws TurnLostError where it is lost. */
  hold(): Promise<void>;
  /** When the turn ends, if it is not extended. */
  nextUntilMs(): number;
  /** The turn was prolonged by another request. */
  heldUntil(untilMs: number): void;
}

/** Pokes, and takes the turn if it is free or has expired. `null`: another has it, was poked, and will look again. */
export async function takeTurn(
  topic: string,
  shard: number,
  ports: { turns: Turns; clock: Clock; newId: () => string },
  { turnMs, marginMs }: LeaseSettings,
): Promise<Lease | null> {
  const { turns, clock } = ports;
  const me = ports.newId();
  const nextUntilMs = () => clock.now() + turnMs;
  let until = nextUntilMs();
  let first = await turns.poke(topic, shard, me, until);
  const takenOver = first.holder !== me;
  if (takenOver) {
    if (first.untilMs > clock.now()) return null;
    until = nextUntilMs();
    const taken = await turns.takeOver(topic, shard, first, me, until);
    if (!taken) return null;
    first = taken;
  }
  let extending: Promise<void> | null = null;
  const extend = async (): Promise<void> => {
    if (clock.now() >= until) throw new TurnLostError(topic);
    const next = nextUntilMs();
    if (!(await turns.extend(topic, shard, me, next))) throw new TurnLostError(topic);
    until = next;
  };
  return {
    me,
    first,
    takenOver,
    nextUntilMs,
    heldUntil: (next) => {
      until = next;
    },
    async hold() {
      if (clock.now() < until - turnMs / 2) return;
      extending ??= extend().finally(() => {
        extending = null;
      });
      await extending;
      if (clock.now() + marginMs >= until) throw new TurnLostError(topic);
    },
  };
}
