/** The alarms of the template, and the runbook. */
import { readFileSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { ALARM_KINDS } from '../../lib/alarm-kinds.ts';
import { systems } from '../../systems/index.ts';

const names = [...Object.keys(ALARM_KINDS), ...systems.flatMap(({ alarms }) => Object.keys(alarms))];

test('every alarm has a section in docs/operate.md, by its name', () => {
  const sections = [...readFileSync('docs/operate.md', 'utf8').matchAll(/^### (\w+)$/gm)].map(([, name]) => name);

  expect(sections.filter((name) => names.includes(String(name))).sort()).toEqual(names.sort());
});

test('every kind of alarm is in the template, and its description leads to its section', () => {
  const { Resources } = JSON.parse(readFileSync(inject('templateFile'), 'utf8')) as {
    Resources: Record<string, { Type: string; Properties: { AlarmName: string; AlarmDescription: string } }>;
  };
  const alarms = Object.values(Resources).filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
  const kinds = new Set(alarms.map(({ Properties }) => /^RealtimePush-local-(\w+)/.exec(Properties.AlarmName)?.[1] ?? ''));

  expect([...kinds].sort()).toEqual([...names].sort());
  for (const { Properties } of alarms) {
    const [, kind = ''] = /^RealtimePush-local-(\w+)/.exec(Properties.AlarmName) ?? [];
    expect(Properties.AlarmDescription).toContain(`docs/operate.md#${kind.toLowerCase()}`);
  }
});
