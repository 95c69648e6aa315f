import { seoulDate } from '../../systems/prices/market-hours.ts';

/**
 * Settings with no session today, whatever the hour: runs begin with the clock of the machine, and look at the feed in market hours.
 * A test that needs a session sets its run's clock to a later day (`setClockTo`).
 */
export const NO_SESSION_TODAY = { MARKET_HOLIDAYS: seoulDate(Date.now()) };
