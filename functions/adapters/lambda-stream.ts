/** Response streaming as Lambda's runtime offers it: by a global, and without notice when the client leaves. */
import type { Writable } from 'node:stream';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { startClock } from './clock.ts';

interface Prelude {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
}

interface LambdaRuntime {
  streamifyResponse(handler: (event: APIGatewayProxyEventV2, stream: Writable, context: Context) => Promise<void>): unknown;
  readonly HttpResponseStream: { from(stream: Writable, prelude: Prelude): Writable };
}

export interface ResponseStream {
  /** Resolves when there is room for more. */
  write(text: string): Promise<void>;
  end(): void;
}

type Respond = (prelude: Prelude) => ResponseStream;

/** A handler that answers piece by piece. The head goes out with the first piece. */
export function streaming(serve: (event: APIGatewayProxyEventV2, respond: Respond, requestId: string) => Promise<void>): unknown {
  const { awslambda } = globalThis as unknown as { awslambda: LambdaRuntime };
  return awslambda.streamifyResponse(async (event, stream, context) => {
    startClock(context);
    // kept-alive sockets to the database must not keep a finished invocation running
    context.callbackWaitsForEmptyEventLoop = false;
    await serve(event, (prelude) => wrap(awslambda.HttpResponseStream.from(stream, prelude)), context.awsRequestId);
  });
}

function wrap(stream: Writable): ResponseStream {
  let broken: Error | null = null;
  // without a listener it would end the environment
  stream.on('error', (error) => {
    broken = error;
  });
  return {
    async write(text) {
      if (broken) throw broken;
      if (text === '' || stream.write(text)) return;
      await new Promise<void>((room) => {
        for (const event of ['drain', 'close', 'error']) stream.once(event, () => room());
      });
    },
    end: () => void stream.end(),
  };
}
