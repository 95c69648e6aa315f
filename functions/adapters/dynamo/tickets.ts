import { createHash } from 'node:crypto';
import type { Principal } from '../../../core/identity.ts';
import { TICKET_REUSE_MS, TICKET_SECONDS, type Tickets } from '../../../core/ports/tickets.ts';
import { type Item, number, ttl } from './item.ts';
import { ticketKey } from './keys.ts';
import type { Table } from './table.ts';

/** Tickets by their digest: whoever reads the table can use none. */
export function dynamoTickets({ table }: { readonly table: Table }): Tickets {
  return {
    async issue(ticket, holder, path, nowMs) {
      const untilMs = nowMs + TICKET_SECONDS * 1000;
      await table.put({
        ...ticketKey(digest(ticket)),
        holder,
        untilMs,
        expiresAt: ttl(untilMs + TICKET_REUSE_MS),
        ...(path === null ? {} : { path }),
      });
    },
    async redeem({ ticket, path, url }, nowMs) {
      const key = ticketKey(digest(ticket));
      if (url !== null) {
        // a stream comes back every minute: a read costs a fifth of a write
        const item = await table.get(key);
        if (item && item['usedFor'] === url) return number(item, 'untilMs') > nowMs ? holderOf(item) : null;
      }
      const { held, item } = await table.update(key, {
        set: { usedFor: url ?? path, untilMs: url === null ? nowMs : nowMs + TICKET_REUSE_MS },
        when: 'attribute_exists(#kind) AND attribute_not_exists(#usedFor) AND #untilMs > :nowMs AND (attribute_not_exists(#path) OR #path = :path)',
        values: { nowMs, path },
        returns: 'ALL_NEW',
      });
      return held ? holderOf(item) : null;
    },
  };
}

const holderOf = (item: Item): Principal => item['holder'] as Principal;

const digest = (ticket: string): string => createHash('sha256').update(ticket).digest('base64url');
