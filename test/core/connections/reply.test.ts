import { expect, test } from 'vitest';
import { reply } from '../../../core/connections/reply.ts';
import type { PostResult } from '../../../core/ports/gateway.ts';
import { memoryPorts } from '../../helpers/ports.ts';

test.each<[PostResult[], PostResult, number[]]>([
  [['sent'], 'sent', []],
  [['gone'], 'gone', []],
  [['slow', 'sent'], 'sent', [300]],
  [['slow', 'gone'], 'gone', [300]],
  [['slow', 'slow', 'sent'], 'sent', [300, 1_000]],
  [['slow', 'slow', 'slow'], 'slow', [300, 1_000]],
])('a reply that the gateway answers with %j is %s after the pauses %j', async (outcomes, result, pauses) => {
  const ports = memoryPorts();
  const slept: number[] = [];
  let posts = 0;
  ports.gateway.post = async () => outcomes[posts++] ?? 'sent';
  ports.clock.sleep = async (ms) => void slept.push(ms);

  expect(await reply('a', 'text', ports)).toBe(result);

  expect(posts).toBe(outcomes.length);
  expect(slept).toEqual(pauses);
});
