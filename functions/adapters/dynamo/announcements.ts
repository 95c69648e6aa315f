import type { Announcements } from '../../../core/ports/announcements.ts';
import type { Defaults } from '../../../core/ports/connections.ts';
import { EXISTS } from './connections.ts';
import { text, ttl } from './item.ts';
import { infoKey, selfKey } from './keys.ts';
import { computed, type Table } from './table.ts';

export function dynamoAnnouncements({ table }: { readonly table: Table }): Announcements {
  const choose = async (connectionId: string, when: string): Promise<boolean> =>
    (await table.update(selfKey(connectionId), { set: { defaults: 'chosen' }, when })).held;
  return {
    async announce(connectionId, { clientId, info }, defaults, expiresAtMs) {
      const { held, item } = await table.update(selfKey(connectionId), {
        set: { announced: computed('if_not_exists(#announced, :clientId)'), defaults: computed('if_not_exists(#defaults, :wanted)') },
        when: EXISTS,
        values: { clientId, wanted: defaults },
        returns: 'UPDATED_NEW',
      });
      if (!held) return null;
      // beside the record: every message writes that, and pays by the kilobyte
      await table.put({ ...infoKey(connectionId), info, expiresAt: ttl(expiresAtMs) });
      return { announced: text(item, 'announced'), defaults: text(item, 'defaults') as Defaults };
    },
    chooseUnlessAll: async (connectionId) =>
      choose(connectionId, `${EXISTS} AND (attribute_not_exists(#defaults) OR #defaults = :defaults)`),
    async choose(connectionId) {
      await choose(connectionId, EXISTS);
    },
  };
}
