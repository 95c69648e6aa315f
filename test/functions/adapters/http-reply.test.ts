import { describe, expect, test } from 'vitest';
import { type ErrorCode, PushError, UnavailableError } from '../../../core/errors.ts';
import { answerOf, errorAnswer } from '../../../functions/adapters/http-reply.ts';

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8', 'x-content-type-options': 'nosniff' };

describe('an error', () => {
  test.each<[ErrorCode, number]>([
    ['INVALID_MESSAGE_FORMAT', 400],
    ['UNKNOWN_MESSAGE_TYPE', 400],
    ['AUTHENTICATION_REQUIRED', 401],
    ['PERMISSION_DENIED', 403],
    ['SERVICE_NOT_FOUND', 404],
    ['NOT_FOUND', 404],
    ['METHOD_NOT_ALLOWED', 405],
    ['CHANNEL_DISABLED', 409],
    ['PAYLOAD_TOO_LARGE', 413],
    ['RATE_LIMIT_EXCEEDED', 429],
    ['TOO_MANY_SUBSCRIPTIONS', 429],
    ['TOO_MANY_CONNECTIONS', 429],
    ['INTERNAL_SERVER_ERROR', 500],
  ])('%s has the status %i', (code, statusCode) => {
    expect(errorAnswer(new PushError(code, 'why'))).toMatchObject({ statusCode });
  });

  test('has one form, and is never cached', () => {
    const { headers, body } = errorAnswer(new PushError('NOT_FOUND', 'why', { ticker: 'x' }));

    expect(headers).toEqual({ ...JSON_TYPE, 'cache-control': 'no-store' });
    expect(JSON.parse(body ?? '')).toEqual({ error_code: 'NOT_FOUND', error_message: 'why', details: { ticker: 'x' } });
  });

  test('of something that does not answer has the status 503, whatever its code', () => {
    expect(errorAnswer(new UnavailableError('later'))).toMatchObject({ statusCode: 503 });
    expect(errorAnswer(new UnavailableError('later', 'TOO_MANY_CONNECTIONS'))).toMatchObject({ statusCode: 503 });
  });
});

describe('a body', () => {
  const reply = { status: 200, body: { price: 1 } };

  test('is JSON with an ETag, and is asked for anew every time', () => {
    const { statusCode, headers, body } = answerOf(reply, null);

    expect(statusCode).toBe(200);
    expect(headers).toEqual({ ...JSON_TYPE, 'cache-control': 'no-cache', etag: expect.stringMatching(/^"[\w-]{27}"$/) });
    expect(body).toBe('{"price":1}');
  });

  test('has an ETag of its content alone', () => {
    const etagOf = (price: number) => answerOf({ status: 200, body: { price } }, null).headers?.['etag'];

    expect(etagOf(1)).toBe(etagOf(1));
    expect(etagOf(1)).not.toBe(etagOf(2));
  });

  test('that the client has already is not sent again', () => {
    const etag = answerOf(reply, null).headers?.['etag'] ?? '';

    for (const ifNoneMatch of [etag, `W/${etag}`, `"other", ${etag}`, `"other",W/${etag} , "more"`, '*'])
      expect(answerOf(reply, ifNoneMatch)).toEqual({ statusCode: 304, headers: { etag, 'cache-control': 'no-cache' } });
  });

  test.each(['', '"other"', 'W/"other"', '"other", "more"'])('that the client has not, since it names %j, is sent', (ifNoneMatch) => {
    expect(answerOf(reply, ifNoneMatch)).toMatchObject({ statusCode: 200, body: '{"price":1}' });
  });

  test('of another status is neither cached nor compared', () => {
    expect(answerOf({ status: 202, body: { accepted: 1 } }, '*')).toEqual({
      statusCode: 202,
      headers: { ...JSON_TYPE, 'cache-control': 'no-store' },
      body: '{"accepted":1}',
    });
  });

  test('of text is an event stream, which no proxy holds back', () => {
    expect(answerOf({ status: 200, body: 'retry: 1\n\n' }, null)).toEqual({
      statusCode: 200,
      headers: {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store, no-transform',
        'x-accel-buffering': 'no',
      },
      body: 'retry: 1\n\n',
    });
  });

  test('that is none has no type', () => {
    expect(answerOf({ status: 204, body: null }, null)).toEqual({ statusCode: 204, headers: { 'cache-control': 'no-store' } });
  });
});
