import type { Revocations } from '../../../core/ports/revocations.ts';

export function memoryRevocations(): Revocations {
  const revoked = new Map<string, number>();
  return {
    before: async (userId) => revoked.get(userId) ?? null,
    async revoke(userId, beforeMs) {
      revoked.set(userId, Math.max(beforeMs, revoked.get(userId) ?? 0));
    },
  };
}
