import { HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { HttpFront } from './http-api.ts';
import type { PushFunctions } from './push-function.ts';

/** Folder of the page's files but for itself. */
export const ASSETS = '/assets/*';

/** The client library, for a page without a bundler. */
export const CLIENT = '/client.js';

/** The documents of the API. */
const API_DOCUMENTS = ['/api/openapi.json', '/api/asyncapi.json'];

export interface PageProps {
  readonly functions: PushFunctions;
  readonly http: HttpFront;
}

/** The page, the client library, and the documents of the API: a function with its files, so that a deployment without front door has it too, and nothing is uploaded after a deploy. */
export class Page extends Construct {
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, { functions, http }: PageProps) {
    super(scope, id);
    this.function = functions.make(this, 'page', { description: "Serves the page's files", memorySize: 256 });
    for (const path of ['/', ASSETS.replace('*', '{file}'), CLIENT, ...API_DOCUMENTS]) http.route(path, HttpMethod.ANY, this.function);
  }
}
