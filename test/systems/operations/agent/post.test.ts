import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { close, listen } from '../../../../local/base/listen.ts';
import { poster } from '../../../../systems/operations/agent/publish/post.ts';

test('an answer that was cut takes nothing: the events go again', async () => {
  const server = createServer(
    (_, response) => void response.writeHead(202, { 'content-type': 'application/json' }).end('{"accepted":1,"rej'),
  );
  const port = await listen(server, 0, '127.0.0.1');
  const post = poster(() => ({ url: `http://127.0.0.1:${port}`, key: 'k' }));

  const posted = await post([{ id: 'e', detailType: 'ServiceChanged', detail: {} }], new AbortController().signal);

  expect(posted).toMatchObject({ kind: 'failed', why: '202, with an answer that cannot be read', isFinal: false });
  await close(server);
});
