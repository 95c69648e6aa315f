import type { DeadLetters } from '../../../core/ports/events.ts';

/** `buried`: what it keeps, in order. */
export function memoryDeadLetters(): DeadLetters & { readonly buried: { readonly body: string; readonly reason: string }[] } {
  const buried: { body: string; reason: string }[] = [];
  return { buried, bury: async (body, reason) => void buried.push({ body, reason }) };
}
