import type { Identity } from '../../core/identity.ts';

/** An identity that knows some tokens, and no tickets. */
export const identityOf = (verify: Identity['verify'], over: Partial<Identity> = {}): Identity => ({
  required: true,
  anonymousControl: false,
  verify,
  redeem: async () => Promise.reject(new Error('no such ticket')),
  mayStay: async () => true,
  ...over,
});
