import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../../systems/operations/agent/config.ts';

const THREE = { agent: 'web-1', url: 'http://localhost:8000', key: 'k' };
const read = (over: object) => () => readConfig(JSON.stringify({ ...THREE, ...over }));

test('three lines are enough', () => {
  const config = readConfig(JSON.stringify(THREE));
  expect(config).toMatchObject({ agent: 'web-1', logs: [], every: 5, spool: 64 });
  expect(config.services.size).toBe(0);
});

test('a service is a command or a unit', () => {
  const { services } = read({
    services: { news: { name: 'POSCO 뉴스', command: ['node', 'news.js'], port: 8080 }, cache: { unit: 'redis@1.service' } },
  })();
  expect(services.get('news')).toMatchObject({ command: ['node', 'news.js'], port: 8080, grace: 10, environment: {} });
  expect(services.get('cache')).toMatchObject({ unit: 'redis@1.service' });
});

describe('what is wrong is said, all of it', () => {
  test.each<[object, string]>([
    [{ agent: 'a b' }, 'agent: expected letters, digits, _ . -'],
    [{ url: 'localhost' }, 'url: expected http:// or https://'],
    [{ keys: 'x' }, 'keys: there is no such field'],
    [{ services: { a: {} } }, 'services.a: expected a command or a unit, and not both'],
    [{ services: { a: { command: ['x'], unit: 'y' } } }, 'services.a: expected a command or a unit, and not both'],
    [{ services: { a: { command: [] } } }, 'services.a.command: expected a program'],
    [{ services: { a: { command: 'x' } } }, 'services.a.command'],
    [{ services: { a: { unit: '../x y' } } }, 'services.a.unit: expected the name of a unit'],
    [{ services: { a: { command: ['x'], environment: { A: 1 } } } }, 'services.a.environment: expected texts by name'],
    [{ services: [] }, 'services: expected services by id'],
    [{ thresholds: { cpu: 101 } }, 'thresholds.cpu'],
  ])('%j', (over, says) => {
    expect(read(over)).toThrow(says);
  });

  test('in one go', () => {
    expect(read({ agent: '', url: 5, services: { a: {}, b: { port: 0, command: ['x'] } } })).toThrow(
      /agent[\s\S]*url[\s\S]*services\.a[\s\S]*services\.b\.port/,
    );
  });

  test('also if it is no JSON', () => {
    expect(() => readConfig('{')).toThrow('expected JSON');
  });
});
