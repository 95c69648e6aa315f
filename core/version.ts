/** What `/api/health` and the gateway's clients are told. A test holds it to package.json. */
export const VERSION = '0.2.0';
