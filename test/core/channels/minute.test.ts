import { expect, test } from 'vitest';
import { minuteLooks } from '../../../core/channels/minute.ts';
import { defineSystem, type MinutePorts } from '../../../core/channels/system.ts';
import { METRIC } from '../../../core/names.ts';
import { memoryPorts } from '../../helpers/ports.ts';

const looking = (name: string, everyMinute: (ports: MinutePorts) => Promise<void>) => defineSystem({ name, everyMinute });

test('every system that has a look makes it, with the ports that systems may use', async () => {
  const ports = memoryPorts();
  const looks: [string, MinutePorts][] = [];
  const note = (name: string) => looking(name, async (given) => void looks.push([name, given]));

  await minuteLooks({ ...ports, systems: [note('a'), defineSystem({ name: 'quiet' }), note('b')] });

  expect(looks.map(([name]) => name)).toEqual(['a', 'b']);
  expect(looks[0]?.[1].catalogue).toBe(ports.catalogue);
  expect(looks[0]?.[1]).not.toHaveProperty('systems');
  expect(ports.report.counts.size).toBe(0);
});

test('a look that fails does not stop the others; each failure is reported and counted, and the first is thrown', async () => {
  const ports = memoryPorts();
  const looked: string[] = [];
  const named: unknown[] = [];
  const { error } = ports.report;
  ports.report.error = (message, failure, facts) => {
    named.push(facts);
    error(message, failure, facts);
  };
  const systems = [
    looking('ok', async () => void looked.push('ok')),
    looking('broken', () => Promise.reject(new Error('no feed'))),
    looking('worse', () => {
      throw new Error('no market');
    }),
    looking('last', async () => void looked.push('last')),
  ];

  await expect(minuteLooks({ ...ports, systems })).rejects.toThrow('no feed');

  expect(looked).toEqual(['ok', 'last']);
  expect(named).toEqual([{ system: 'broken' }, { system: 'worse' }]);
  expect(ports.report.lines).toEqual(["a system's look failed: Error: no feed", "a system's look failed: Error: no market"]);
  expect(ports.report.counts.get(METRIC.errors)).toBe(2);
});

test('the failure of a single look is thrown', async () => {
  const broken = looking('broken', () => Promise.reject(new Error('no feed')));

  await expect(minuteLooks({ ...memoryPorts(), systems: [broken] })).rejects.toThrow('no feed');
});
