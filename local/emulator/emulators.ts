/** The emulators that the template is deployed to: a row each, with how far it was tried. */

export interface Emulator {
  /** The version that the row describes. */
  readonly version: string;
  /** When we last ran the contract suites on it, as a date; `null` = never. */
  readonly lastRun: string | null;
  /** Its address, unless `AWS_ENDPOINT_URL` names another. */
  readonly endpoint: string;
  /** Path that answers 200 as soon as it serves. */
  readonly health: string;
  /** Host name of an API, before the endpoint's port. */
  apiHost(apiId: string): string;
  /** The address of `@connections` for the functions, with `{api}` and `{stage}`. */
  callback(endpoint: string): string;
  /** How to start it. */
  readonly start: string;
  /** Things that AWS does and it does not. */
  readonly lacks: readonly Lack[];
}

/** Things that AWS does, by the names that the tests know them by. */
export type Lack =
  /** Sends the subprotocol that `$connect` returned. */
  | 'subprotocol'
  /** Streams a function's response. */
  | 'streaming'
  /** Lets who may send a message send several in one request. */
  | 'batch-grants'
  /** Leaves out of a secret the characters that it excludes. */
  | 'plain-secrets'
  /** Closes with 1009 after a message over 128 KB, and with 1003 after a binary one. */
  | 'close-codes'
  /** Hands a deeply nested message on. */
  | 'deep-json'
  /** Serves several messages of one connection at once. */
  | 'parallel-messages'
  /** Hands a CORS preflight on. */
  | 'preflight';

export const EMULATORS: Readonly<Record<string, Emulator>> = {
  ministack: {
    version: '1.5.33',
    lastRun: '2026-11-26',
    endpoint: 'https://localhost:4566',
    health: '/_ministack/health',
    apiHost: (apiId) => `${apiId}.execute-api.localhost`,
    callback: (endpoint) => `${endpoint}/_aws/execute-api/{api}/{stage}`,
    start: 'npm run deploy:local installs and starts it; it needs Python 3.10 or newer',
    lacks: ['subprotocol', 'streaming', 'batch-grants', 'plain-secrets', 'close-codes', 'deep-json', 'parallel-messages', 'preflight'],
  },
  localstack: {
    version: 'latest',
    lastRun: null,
    endpoint: 'http://localhost:4566',
    health: '/_localstack/health',
    apiHost: (apiId) => `${apiId}.execute-api.localhost.localstack.cloud`,
    callback: (endpoint) => `http://{api}.execute-api.localhost.localstack.cloud:${new URL(endpoint).port || 4566}/{stage}`,
    start: 'docker compose -f examples/localstack/compose.yaml up, with a token of a plan that has API Gateway v2',
    lacks: [],
  },
};
