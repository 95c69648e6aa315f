// A CloudFront function before the event streams and the WebSocket: headers that the way to an origin takes are kept in headers of ours.
const READING = ['GET', 'HEAD', 'OPTIONS'];

// biome-ignore lint/correctness/noUnusedVariables: CloudFront calls it by this name
function handler(event) {
  const request = event.request;
  const headers = request.headers;
  // the signature for an origin covers no body
  if (!READING.includes(request.method)) {
    const error_message = `this address is asked for by GET, not ${request.method}`;
    return {
      statusCode: 405,
      statusDescription: 'Method Not Allowed',
      headers: { 'content-type': { value: 'application/json; charset=utf-8' }, allow: { value: READING.join(', ') } },
      body: JSON.stringify({ error_code: 'METHOD_NOT_ALLOWED', error_message, details: {} }),
    };
  }
  // one that came from outside proves nothing
  delete headers['x-push-authorization'];
  if (headers.authorization) headers['x-push-authorization'] = { value: headers.authorization.value };
  delete headers['x-push-host'];
  // a request of HTTP/1.0 may have none
  if (headers.host) headers['x-push-host'] = { value: headers.host.value };
  return request;
}
