/** Bodies of webhooks: templates, escaping, and the limits of the targets. */
import { describe, expect, test } from 'vitest';
import { TEMPLATES } from '../../../../systems/operations/templates/index.ts';
import { TARGETS, type Target } from '../../../../systems/operations/webhooks/targets.ts';
import { fill, readTemplates, shortened } from '../../../../systems/operations/webhooks/template.ts';

const { discord, slack, generic } = TARGETS as Readonly<Record<string, Target>> & { discord: Target; slack: Target; generic: Target };
const plain = (text: string): string => text;

describe('a template', () => {
  test('posco_news_alert has a body for each type, of title, url, timestamp and message', () => {
    const variables = { title: 'T', url: 'https://example.com', timestamp: 'now', message: 'M' };
    const bodies = ['discord', 'slack', 'generic'].map((type) =>
      JSON.stringify(fill(TEMPLATES['posco_news_alert']?.[type], variables, plain)),
    );
    for (const body of bodies) for (const text of Object.values(variables)) expect(body).toContain(text);
  });

  test('is filled in one pass: variables stay what they are', () => {
    const variables = { a: '{{b}}', b: 'B', c: '"},{"x":"' };
    expect(fill({ one: '{{a}} {{ b }}', two: ['{{c}}'] }, variables, plain)).toEqual({ one: '{{b}} B', two: ['"},{"x":"'] });
    expect(fill({ $: '{{a}}' }, { a: '$&$1' }, plain)).toEqual({ $: '$&$1' });
  });

  test('says which variables are missing, and knows only those that were given', () => {
    expect(() => fill({ x: '{{title}} {{constructor}} {{n}}' }, { n: null }, plain)).toThrow('needs title, constructor, n');
    expect(fill('{{n}} {{o}}', { n: 5, o: { a: 1 } }, plain)).toBe('5 {"a":1}');
  });

  test('that is no object is named', () => {
    expect(() => readTemplates({ mine: [] })).toThrow('mine: expected an object');
  });
});

test('a text is cut by code points, the ellipsis included', () => {
  expect(shortened('12345', 5)).toBe('12345');
  expect(shortened('123456', 5)).toBe('1234…');
  expect(shortened('123😀😀😀', 5)).toBe('123😀…');
});

describe('discord', () => {
  test('calls nobody, whatever the text says', () => {
    expect(discord.fit(discord.plain('@everyone'))).toEqual({ content: '@everyone', allowed_mentions: { parse: [] } });
  });

  test.each([1_999, 2_000, 2_001])('takes 2,000 code points of %i', (length) => {
    const { content } = discord.fit(discord.plain('😀'.repeat(length))) as { content: string };
    expect([...content].length).toBe(Math.min(2_000, length));
  });

  test('has limits for fields, for embeds, and for all of them together', () => {
    const field = { name: 'n'.repeat(300), value: 'v'.repeat(2_000) };
    const body = {
      embeds: [{ title: 't'.repeat(300), fields: Array.from({ length: 30 }, () => ({ name: 'a', value: 'b' })) }, { fields: [field] }],
    };
    const { embeds } = discord.fit(body) as unknown as { embeds: { title?: string; fields: { name: string; value: string }[] }[] };
    expect(embeds[0]?.title?.length).toBe(256);
    expect(embeds[0]?.fields.length).toBe(25);
    expect([embeds[1]?.fields[0]?.name.length, embeds[1]?.fields[0]?.value.length]).toEqual([256, 1_024]);
    const long = { embeds: Array.from({ length: 12 }, () => ({ description: 'd'.repeat(4_000) })) };
    const fitted = (discord.fit(long) as unknown as { embeds: { description: string }[] }).embeds;
    expect(fitted.length).toBe(10);
    expect(fitted.slice(0, 2).reduce((sum, { description }) => sum + description.length, 0)).toBe(6_000);
  });
});

test('slack escapes what would be a mention or a link', () => {
  expect(slack.escape('<!channel> & <https://x|y>')).toBe('&lt;!channel&gt; &amp; &lt;https://x|y&gt;');
  expect((slack.fit({ text: 'x'.repeat(4_000) }) as { text: string }).text.length).toBe(3_000);
});

test('generic is sent as it is', () => {
  expect(generic.fit(generic.plain('m'))).toEqual({ message: 'm' });
});
