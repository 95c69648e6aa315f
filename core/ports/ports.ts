import type { Announcements } from './announcements.ts';
import type { Audience } from './audience.ts';
import type { Bodies } from './bodies.ts';
import type { Catalogue } from './catalogue.ts';
import type { Clients } from './clients.ts';
import type { Clock } from './clock.ts';
import type { Connections } from './connections.ts';
import type { DeadLetters, Lane, Notices, PublishKeys } from './events.ts';
import type { Gateway } from './gateway.ts';
import type { Jobs, Work } from './jobs.ts';
import type { OwnSubscriptions } from './own-subscriptions.ts';
import type { Registrations } from './registrations.ts';
import type { Report } from './report.ts';
import type { Revocations } from './revocations.ts';
import type { Streams } from './streams.ts';
import type { Tickets } from './tickets.ts';
import type { Topics } from './topics.ts';
import type { Turns } from './turns.ts';

/**
 * Everything the engine asks of the world, by name. A function takes the ports it uses: `Pick<Ports, 'topics' | 'clock'>`.
 * A normal outcome is a return value; a port throws only if trying again may help. Each port of the
 * tables has one suite in `test/ports/`, run against memory and against DynamoDB.
 */
export interface Ports {
  readonly topics: Topics;
  readonly turns: Turns;
  readonly audience: Audience;
  readonly connections: Connections;
  readonly ownSubscriptions: OwnSubscriptions;
  readonly announcements: Announcements;
  readonly clients: Clients;
  readonly catalogue: Catalogue;
  readonly registrations: Registrations;
  /** Of event streams that may be cut before their first event: as registrations, but no subscription uses them up. */
  readonly places: Registrations;
  readonly tickets: Tickets;
  readonly revocations: Revocations;
  readonly streams: Streams;
  readonly bodies: Bodies;
  readonly gateway: Gateway;
  readonly jobs: Jobs;
  readonly work: Work;
  readonly lanes: Readonly<Record<'bus' | 'direct', Lane>>;
  readonly notices: Notices;
  readonly deadLetters: DeadLetters;
  readonly keys: PublishKeys;
  readonly clock: Clock;
  readonly report: Report;
  /** A new unique id: letters, digits and hyphens. */
  newId(): string;
}
