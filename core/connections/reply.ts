import type { Clock, Gateway, PostResult } from '../ports.ts';

/** A peer that is throttled while it is answered is given so much time, in ms, before its answer is given up. */
const PATIENCE_MS = [300, 1_000] as const;

/** An answer is worth some patience: a client that was told nothing believes it is not served, and must be right. */
export async function answer(
  connectionId: string,
  text: string,
  { gateway, clock }: { readonly gateway: Gateway; readonly clock: Clock },
): Promise<PostResult> {
  let result = await gateway.post(connectionId, text);
  for (const pause of PATIENCE_MS) {
    if (result !== 'slow') return result;
    await clock.sleep(pause);
    result = await gateway.post(connectionId, text);
  }
  return result;
}
