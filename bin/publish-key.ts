/** Publish keys, as programs of this machine make them. */
import { createHash, randomBytes } from 'node:crypto';
import type { AgentScope } from '../core/ports/events.ts';

/** The source of the events that an agent publishes. */
export const AGENT_SOURCE = 'ops.monitor';

/** The limit of an agent's key to its own services. */
export const ownServices = (ids: readonly string[]): AgentScope['only'] => [{ field: 'service_id', values: ids }];

/** As many characters as the deployment's first key; none that a shell reads in its own way. */
export const newKey = (): string => randomBytes(20).toString('hex');

/** A key as the ring keeps it, in hex. */
export const sha256Of = (key: string): string => createHash('sha256').update(key).digest('hex');
