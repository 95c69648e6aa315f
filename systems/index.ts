/** The systems of this deployment: the only file that names them. */
import type { System } from '../core/channels/system.ts';
import { operations } from './operations/system.ts';
import { prices } from './prices/system.ts';
import { ticketing } from './ticketing/system.ts';

export const systems: readonly System[] = [prices, ticketing, operations];
