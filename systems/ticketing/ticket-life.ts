/** Each buyer has a topic for each concert and seat: those without subscribers and events are forgotten after two days. */
export const TICKET_LIFE_MS = 2 * 86_400_000;
