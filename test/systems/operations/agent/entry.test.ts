import { expect, test } from 'vitest';
import { entryOf } from '../../../../systems/operations/agent/tail/entry.ts';
import type { Entry } from '../../../../systems/operations/log-update.ts';

const READ = '2026-11-26T12:00:00.000Z';
const AT = '2026-02-19T01:20:10.224Z';
const local = (text: string): string => new Date(text).toISOString();

test.each<[string, Partial<Entry>]>([
  ['plain words', { timestamp: READ, level: 'INFO', message: 'plain words' }],
  ['', { message: '' }],
  ['an error occurred', { level: 'INFO', message: 'an error occurred' }],
  ['ERROR: no room', { level: 'ERROR', message: 'no room' }],
  ['[WARN] almost full', { level: 'WARN', message: 'almost full' }],
  ['2026-02-19T01:20:10.224Z nothing more', { timestamp: AT, message: 'nothing more' }],
  // Python
  [
    '2026-02-19 10:20:10,224 - posco.news - WARNING - 뉴스가 없습니다',
    { timestamp: local('2026-02-19T10:20:10.224'), level: 'WARNING', logger_name: 'posco.news', message: '뉴스가 없습니다' },
  ],
  [
    '2026-02-19T01:20:10.224Z ERROR worker.py:42 - failed: 5 - 3',
    { level: 'ERROR', module: 'worker.py', line_number: 42, message: 'failed: 5 - 3' },
  ],
  ['INFO:root:hello', { level: 'INFO', message: 'INFO:root:hello' }],
  // Logback, Spring Boot
  [
    '2026-02-19 10:20:10.224 [http-1] INFO  com.shop.App - started',
    { level: 'INFO', thread_id: 'http-1', logger_name: 'com.shop.App', message: 'started' },
  ],
  [
    '2026-02-19T10:20:10.224+09:00  INFO 1234 --- [           main] com.shop.App                             : Started App',
    { timestamp: AT, level: 'INFO', thread_id: 'main', logger_name: 'com.shop.App', message: 'Started App' },
  ],
  ['[2026-02-19 10:20:10] ERROR disk is full', { level: 'ERROR', message: 'disk is full' }],
  // JSON
  ['{"level":50,"time":1771464010224,"msg":"boom","name":"api"}', { timestamp: AT, level: 'ERROR', logger_name: 'api', message: 'boom' }],
  [
    '{"levelname":"info","asctime":"2026-02-19T01:20:10.224Z","message":"m","module":"a","lineno":7,"threadName":"T"}',
    { timestamp: AT, level: 'INFO', module: 'a', line_number: 7, thread_id: 'T' },
  ],
  ['{"a":1}', { level: 'INFO', message: '{"a":1}' }],
  ['{"broken', { message: '{"broken' }],
  ['{"message":{"x":1},"level":null,"time":"never"}', { timestamp: READ, level: 'INFO', message: '{"x":1}' }],
])('%j', (line, expected) => {
  expect(entryOf(line, READ)).toMatchObject(expected);
});

test('every line is an entry that the deployment takes', () => {
  for (const line of [
    '\u0000',
    '\ud800',
    ' '.repeat(1000),
    `${'x'.repeat(5_000)} ERROR y`,
    '2026-99-99 99:99:99 INFO x',
    '[',
    '[]',
    '{}',
    'null',
  ]) {
    const { timestamp, level, logger_name } = entryOf(line, READ);
    expect(Number.isNaN(Date.parse(timestamp))).toBe(false);
    expect(level).not.toBe('');
    expect(logger_name.length).toBeLessThanOrEqual(200);
  }
});

test('a line that is long and odd takes no longer than a plain one', () => {
  const seconds = (line: string): number => {
    const began = process.cpuUsage();
    for (let times = 0; times < 20; times++) entryOf(line, READ);
    return process.cpuUsage(began).user / 1e6;
  };
  const plain = seconds(`INFO ${'a b '.repeat(16_000)}`);
  for (const part of ['a.', '[', ' ', ' -', '|', '1:'])
    for (const start of ['', 'INFO ', '2026-02-19T01:20:10Z INFO '])
      expect(seconds(start + part.repeat(64_000 / part.length))).toBeLessThan(Math.max(1, 50 * plain));
});
