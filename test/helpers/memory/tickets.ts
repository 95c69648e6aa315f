import type { Principal } from '../../../core/identity.ts';
import { TICKET_REUSE_MS, TICKET_SECONDS, type Tickets } from '../../../core/ports/tickets.ts';

interface Issued {
  readonly holder: Principal;
  readonly path: string | null;
  readonly untilMs: number;
  /** What it was first used for. */
  readonly usedFor: string | null;
}

export function memoryTickets(): Tickets {
  const issued = new Map<string, Issued>();
  return {
    async issue(ticket, holder, path, nowMs) {
      issued.set(ticket, { holder, path, untilMs: nowMs + TICKET_SECONDS * 1000, usedFor: null });
    },
    async redeem({ ticket, path, url }, nowMs) {
      const found = issued.get(ticket);
      if (!found || found.untilMs <= nowMs) return null;
      if (found.usedFor !== null) return found.usedFor === url ? found.holder : null;
      if (found.path !== null && found.path !== path) return null;
      issued.set(ticket, { ...found, usedFor: url ?? path, untilMs: url === null ? nowMs : nowMs + TICKET_REUSE_MS });
      return found.holder;
    },
  };
}
