/**
 * Stands in for the SDK's default credential chain in the bundles (`bin/build.ts`). Lambda keeps its role's
 * credentials in the environment; the chain's other links (profiles, SSO, metadata services) are a fifth of a bundle
 * and never used there.
 */
import { fromEnv } from '@aws-sdk/credential-provider-env';

export const defaultProvider = fromEnv;
