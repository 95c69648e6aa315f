import type { PostResult } from '../ports/gateway.ts';
import type { Ports } from '../ports/ports.ts';

/** Pauses before a reply to a throttled connection is tried again, in ms. */
const PAUSES_MS = [300, 1_000] as const;

/** Sends a reply, with some patience: a client without a reply believes that it is not served. */
export async function reply(connectionId: string, text: string, { gateway, clock }: Pick<Ports, 'gateway' | 'clock'>): Promise<PostResult> {
  let result = await gateway.post(connectionId, text);
  for (const pause of PAUSES_MS) {
    if (result !== 'slow') return result;
    await clock.sleep(pause);
    result = await gateway.post(connectionId, text);
  }
  return result;
}
