/** Ticketing: the waiting queue and seat reservations, private to each buyer (`docs/protocol.md`, "Ticketing"). */
import { defineSystem } from '../../core/channels/system.ts';
import { reservationsChannel } from './reservations.ts';
import { waitingQueueChannel } from './waiting-queue.ts';

export const ticketing = defineSystem({ name: 'ticketing', channels: [waitingQueueChannel, reservationsChannel] });
