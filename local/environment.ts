/** Environment variables of the functions, with every address on this machine. */
import { JWKS_PATH } from './aws-endpoint.ts';
import { accessKeyOf } from './base/policy.mjs';
import { PSEUDO } from './base/template.ts';
import { LOCAL_JWKS_URI } from './issuer.ts';

/** The variables that Lambda sets, and the SDK's settings for its endpoints. */
export const awsEnvironment = (name: string, awsUrl: string, tablesEndpoint: string): Record<string, string> => ({
  AWS_REGION: PSEUDO['AWS::Region'] ?? '',
  AWS_ACCESS_KEY_ID: accessKeyOf(name),
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_ENDPOINT_URL_DYNAMODB: tablesEndpoint,
  AWS_ENDPOINT_URL_SQS: awsUrl,
  AWS_ENDPOINT_URL_S3: awsUrl,
  AWS_ENDPOINT_URL_EVENTBRIDGE: awsUrl,
  AWS_ENDPOINT_URL_SECRETS_MANAGER: awsUrl,
  AWS_LAMBDA_FUNCTION_NAME: name,
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1024',
  // Node on this machine may be older than the deployed runtime
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  TZ: 'UTC',
});

/** Replaces the platform's addresses in resolved values with local ones. */
export const pointHere = (variables: Readonly<Record<string, string>>, awsUrl: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name,
      value === LOCAL_JWKS_URI ? `${awsUrl}${JWKS_PATH}` : value.replace(/^https:\/\/[^/]+\.execute-api\.[^/]+/, awsUrl),
    ]),
  );
