// @ts-check
/** The live page: prices, one buyer's way, operations. A token in the address (`#token=…`) is sent with every request. */
import { startMetrics } from './metrics.js';
import { startOperations } from './operations.js';
import { startPrices } from './prices.js';
import { connect } from './socket.js';
import { startTicket } from './ticket.js';

/** @typedef {{ token: string | null, headers: Record<string, string>, hint: string }} Access */

const token = new URLSearchParams(location.hash.slice(1)).get('token') || null;

/** @type {Access} */
const access = {
  token,
  headers: token === null ? {} : { Authorization: `Bearer ${token}` },
  hint: `needs a token: ${location.origin}/#token=… with what this prints: npm run --silent token -- --user 100 --roles ops:read --url ${location.origin}`,
};

startPrices(access);
startOperations(access);
void startMetrics();
void startTicket(access);
connect(access);
// a new token needs a new start
addEventListener('hashchange', () => location.reload());
