/** The deployment's identity, by its settings: tokens, the tickets that stand in for them, and users who were disconnected. */
import { PushError } from '../../core/errors.ts';
import { type Identity, isExpired, isRevoked, type Principal, tokenExpired } from '../../core/identity.ts';
import type { Report } from '../../core/ports/report.ts';
import { environmentNow } from '../adapters/clock.ts';
import { anonymousControl, identitySettings } from '../adapters/env.ts';
import { tokenVerifier } from '../adapters/tokens.ts';
import { revocations, tickets } from './ports.ts';

export function identity(report: Report): Identity {
  const settings = identitySettings();
  if (settings.mode === 'none') {
    const refuse = async () => Promise.reject(new Error('no identity is configured'));
    return { required: false, anonymousControl: anonymousControl(), verify: refuse, redeem: refuse, mayStay: async () => true };
  }
  const verify = tokenVerifier(settings, report);
  const [revoked, known] = [revocations(), tickets()];
  const mayStay = async (principal: Principal): Promise<boolean> =>
    !isExpired(principal, environmentNow()) && !isRevoked(principal, await revoked.before(principal.userId));
  const admit = async (principal: Principal): Promise<Principal> => {
    if (isExpired(principal, environmentNow())) throw tokenExpired();
    if (await mayStay(principal)) return principal;
    throw new PushError('AUTHENTICATION_REQUIRED', 'the user was disconnected, and older tokens count no longer: a new token is needed');
  };
  return {
    required: true,
    anonymousControl: false,
    verify: async (token) => admit(await verify(token)),
    async redeem(use) {
      const holder = await known.redeem(use, environmentNow());
      if (holder) return admit(holder);
      throw new PushError('AUTHENTICATION_REQUIRED', 'the ticket was used or has lapsed, or is for another address: a new one is needed');
    },
    mayStay,
  };
}
