import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { ENV } from '../core/names.ts';
import type { StageProps } from './stage.ts';

const PREFIX = 'messages/';

/** Bodies of messages that are too large for a frame, for a day. */
export class MessageBodies extends Construct {
  private readonly bucket: Bucket;

  constructor(scope: Construct, id: string, { stage }: { readonly stage: StageProps }) {
    super(scope, id);
    this.bucket = new Bucket(this, 'Bucket', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      lifecycleRules: [{ expiration: Duration.days(1), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      // a bucket with objects cannot be deleted with its stack; this one empties itself in a day
      removalPolicy: stage.removalPolicy,
    });
  }

  grantPut(fn: LambdaFunction): void {
    this.grant(fn, 's3:PutObject', this.bucket.arnForObjects(`${PREFIX}*`));
  }

  grantRead(fn: LambdaFunction): void {
    this.grant(fn, 's3:GetObject', this.bucket.arnForObjects(`${PREFIX}*`));
    // with the right to list, a missing object is a 404 and not a 403
    this.grant(fn, 's3:ListBucket', this.bucket.bucketArn);
  }

  private grant(fn: LambdaFunction, action: string, resource: string): void {
    fn.addEnvironment(ENV.bodiesBucket, this.bucket.bucketRegionalDomainName);
    fn.addToRolePolicy(new PolicyStatement({ actions: [action], resources: [resource] }));
  }
}
