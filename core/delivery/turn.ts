/** A turn while it is held. */
import { TurnLostError } from '../errors.ts';
import type { Ports } from '../ports/ports.ts';
import type { Turn } from '../ports/turns.ts';

export interface TurnSettings {
  /** How long a turn is valid without being extended. */
  readonly turnMs: number;
  /** Nothing is posted within this time before the turn's end: longer than a post may take. */
  readonly marginMs: number;
}

export interface HeldTurn {
  readonly me: string;
  /** The cursor item as it was when the turn began. */
  readonly first: Turn;
  /** Its last holder did not release it: it died, or is only slow and may still post. */
  readonly takenOver: boolean;
  /** Verifies that there is time for a post, and extends the turn if need be. Throws TurnLostError if it is lost. */
  hold(): Promise<void>;
  /** When the turn would end if it were extended now, in ms. */
  nextUntilMs(): number;
  /** Another request extended the turn. */
  heldUntil(untilMs: number): void;
}

/** Pokes the topic, and takes the turn if it is free or expired. `null`: another worker has it, was poked, and will look again. */
export async function takeTurn(
  topic: string,
  shard: number,
  ports: Pick<Ports, 'turns' | 'clock' | 'newId'>,
  { turnMs, marginMs }: TurnSettings,
): Promise<HeldTurn | null> {
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
