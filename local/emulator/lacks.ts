/** The contract tests that a host fails for what it lacks. A test that is named here and passes is a mistake here. */
import type { Lack } from './emulators.ts';

export const FAILS: Readonly<Record<Lack, readonly string[]>> = {
  // the front door chooses it instead
  subprotocol: [],
  // the roles get the grant after the deployment
  'batch-grants': [],
  'plain-secrets': [],
  streaming: ['the waiting queue begins with INIT at once, even without any event so far, and then delivers each change'],
  'close-codes': [
    'an ERROR with a reason and the end of the connection answer a message over 128 KB, with close code 1009 instead of an ERROR, as the gateway does',
    'bad input is answered and leaves the connection open: except for a message over 128 KB, which closes with 1009',
    'bad input is answered and leaves the connection open: except for a binary message, which closes with 1003',
  ],
  'deep-json': ['bad input is answered and leaves the connection open: deeply nested lists'],
  'parallel-messages': [
    'bad input is answered and leaves the connection open: more than 100 messages in a second, which get RATE_LIMIT_EXCEEDED',
  ],
  preflight: ['requests from another origin are allowed by CORS'],
};
