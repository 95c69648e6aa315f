import type { Bodies, Body } from '../../../core/ports/bodies.ts';

export function memoryBodies(): Bodies {
  const bodies = new Map<string, Body>();
  return {
    async put(id, body) {
      bodies.set(id, body);
    },
    read: async (id) => bodies.get(id) ?? null,
  };
}
