import { formatPosition, parsePosition } from '../../../core/base/position.ts';
import type { Registered, Registration, Registrations } from '../../../core/ports/registrations.ts';
import { environmentNow } from '../clock.ts';
import { expired, number, text, ttl } from './item.ts';
import type { Table } from './table.ts';

export interface RegistrationsOptions {
  readonly table: Table;
  readonly keyOf: (topic: string) => { kind: string; id: string };
  readonly now?: () => number;
}

export function dynamoRegistrations({ table, keyOf, now = environmentNow }: RegistrationsOptions): Registrations {
  const find = async (topic: string): Promise<Registered | null> => {
    const item = await table.get(keyOf(topic));
    const position = item && !expired(item, now()) ? parsePosition(text(item, 'position')) : null;
    return item && position ? { position, stamp: text(item, 'stamp'), expiresAtMs: number(item, 'expiresAt') * 1000 } : null;
  };
  const register = async (topic: string, { position, stamp }: Registration, expiresAtMs: number): Promise<void> => {
    const key = keyOf(topic);
    const expiresAt = ttl(expiresAtMs);
    const first = await table.put(
      { ...key, position: formatPosition(position.epoch, position.offset), stamp, expiresAt },
      // TTL deletes days late: a lapsed one is as good as gone
      { when: 'attribute_not_exists(#kind) OR #expiresAt <= :now', values: { now: ttl(now()) } },
    );
    if (first.held) return;
    const again = await table.update(key, {
      set: { stamp, expiresAt },
      when: 'attribute_exists(#kind) AND #expiresAt <= :expiresAt',
    });
    if (again.held) return;
    // it lapses later already; or it was used up just now, and the new one starts where the topic stands
    if (await find(topic)) return;
    await register(topic, { position, stamp }, expiresAtMs);
  };
  return {
    register,
    find,
    async useUp(topic, stamp) {
      await table.delete(keyOf(topic), { when: '#stamp = :stamp', values: { stamp } });
    },
    async remove(topic) {
      await table.delete(keyOf(topic));
    },
  };
}
