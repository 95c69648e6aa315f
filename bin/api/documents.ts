import type { System } from '../../core/channels/system.ts';
import { asyncApi } from './asyncapi.ts';
import { openApi } from './openapi.ts';

/** The documents of a deployment's API, by the name of their file. */
export const apiDocuments = (systems: readonly System[]): Readonly<Record<string, object>> => ({
  'openapi.json': openApi(systems),
  'asyncapi.json': asyncApi(systems),
});
