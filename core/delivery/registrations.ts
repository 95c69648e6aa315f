import type { Subscription } from '../ports/audience.ts';
import type { Ports } from '../ports/ports.ts';

/** Uses up the registration that a subscription started from: something was delivered, so the client knows a position of its own now. */
export async function useRegistration(
  subscription: Subscription,
  stamp: string,
  { registrations, audience }: Pick<Ports, 'registrations' | 'audience'>,
): Promise<void> {
  await registrations.useUp(subscription.topic, stamp);
  await audience.forgetRegistration(subscription);
}
