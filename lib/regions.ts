/** Regions without function URLs, and so without event streams (AWS Lambda's documentation; the last two as cfn-lint knows them). */
const WITHOUT_FUNCTION_URLS: ReadonlySet<string> = new Set([
  'ap-south-2',
  'ap-southeast-4',
  'ap-southeast-5',
  'ap-southeast-6',
  'ap-southeast-7',
  'ap-east-2',
  'ca-west-1',
  'eu-south-2',
  'eu-central-2',
  'il-central-1',
  'me-central-1',
  'us-gov-west-1',
  'mx-central-1',
]);

/** Whether a region has function URLs; `true` if the region is not known yet. */
export const hasFunctionUrls = (region: string): boolean => !WITHOUT_FUNCTION_URLS.has(region);

/** Why a region can have no front door; `null` if it can, or is not known yet. */
export function noFrontDoorIn(region: string): string | null {
  if (region.startsWith('cn-') || region.startsWith('us-gov-')) return `there is no CloudFront in the partition of ${region}`;
  return hasFunctionUrls(region) ? null : `${region} has no function URLs, from which it would have the event streams`;
}
