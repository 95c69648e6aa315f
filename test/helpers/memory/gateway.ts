import type { Gateway, PostResult } from '../../../core/ports/gateway.ts';

export interface MemoryGateway extends Gateway {
  readonly posted: { connectionId: string; frame: string }[];
  readonly closed: string[];
  /** When connections were last active, as far as the gateway knows. */
  readonly active: Map<string, number>;
  /** The outcome of posts to a connection. @default sent */
  readonly outcome: Map<string, PostResult>;
}

export function memoryGateway(): MemoryGateway {
  const gateway: MemoryGateway = {
    posted: [],
    closed: [],
    active: new Map(),
    outcome: new Map(),
    async post(connectionId, frame, before) {
      await before?.();
      const outcome = gateway.outcome.get(connectionId) ?? 'sent';
      if (outcome === 'sent') gateway.posted.push({ connectionId, frame });
      return outcome;
    },
    async stateOf(connectionId) {
      if (gateway.outcome.get(connectionId) === 'gone') return 'gone';
      const lastActiveMs = gateway.active.get(connectionId);
      return lastActiveMs === undefined ? null : { lastActiveMs };
    },
    async close(connectionId) {
      gateway.closed.push(connectionId);
    },
  };
  return gateway;
}
