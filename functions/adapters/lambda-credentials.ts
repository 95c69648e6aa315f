/**
 * Replaces the SDK's default credential chain in the bundles (`bin/build.ts`). Lambda keeps its role's credentials in the
 * environment; the rest of the chain (profiles, SSO, metadata services) is a fifth of a bundle and never used there.
 */
import { fromEnv } from '@aws-sdk/credential-provider-env';

export const defaultProvider = fromEnv;
