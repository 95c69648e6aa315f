/**
 * What the core asks of the world, in its own words. A normal outcome is a return value; a port throws only where
 * trying again may help. Each port has one suite in `test/ports/`, run against memory and against DynamoDB.
 */
export * from './ports/audience.ts';
export type * from './ports/catalogue.ts';
export type * from './ports/connections.ts';
export type * from './ports/topics.ts';
export type * from './ports/wire.ts';
