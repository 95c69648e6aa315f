import type { Revocations } from '../../../core/ports/revocations.ts';
import { number, ttl } from './item.ts';
import { revocationKey } from './keys.ts';
import type { Table } from './table.ts';

/** Longer than any token should live: after it the note is of no use. */
const KEPT_MS = 366 * 86_400_000;

export function dynamoRevocations({ table }: { readonly table: Table }): Revocations {
  return {
    async before(userId) {
      const item = await table.get(revocationKey(userId));
      return item ? number(item, 'beforeMs') : null;
    },
    async revoke(userId, beforeMs) {
      await table.update(revocationKey(userId), {
        set: { beforeMs, expiresAt: ttl(beforeMs + KEPT_MS) },
        when: 'attribute_not_exists(#beforeMs) OR #beforeMs < :beforeMs',
      });
    },
  };
}
