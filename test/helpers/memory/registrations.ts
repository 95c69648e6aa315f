import type { Clock } from '../../../core/ports/clock.ts';
import type { Registered, Registration, Registrations } from '../../../core/ports/registrations.ts';

export function memoryRegistrations(clock: Pick<Clock, 'now'>): Registrations {
  const made = new Map<string, { registration: Registration; expiresAtMs: number }>();
  const find = (topic: string): Registered | null => {
    const found = made.get(topic);
    return found && found.expiresAtMs > clock.now() ? { ...found.registration, expiresAtMs: found.expiresAtMs } : null;
  };
  return {
    async register(topic, registration, expiresAtMs) {
      const before = find(topic);
      if (before && (made.get(topic)?.expiresAtMs ?? 0) > expiresAtMs) return;
      made.set(topic, { registration: { ...registration, position: before?.position ?? registration.position }, expiresAtMs });
    },
    find: async (topic) => find(topic),
    async useUp(topic, stamp) {
      if (made.get(topic)?.registration.stamp === stamp) made.delete(topic);
    },
    async remove(topic) {
      made.delete(topic);
    },
  };
}
