/** The kinds of webhooks: their bodies, what must be escaped for them, and their limits. */
import { mapTexts, shortened } from './template.ts';

export interface Target {
  /** A body without a template. */
  plain(message: string): object;
  /** Makes a variable's text harmless. */
  escape(text: string): string;
  /** The body within the target's limits: it refuses a message that is too long as a whole. */
  fit(body: object): object;
  /** Added to the address. */
  readonly query: Readonly<Record<string, string>>;
}

/** Discord's limits, in code points, by field. */
const DISCORD: Readonly<Record<string, number>> = { content: 2_000, title: 256, description: 4_096, name: 256, value: 1_024, text: 2_048 };
const MOST_EMBEDS = 10;
const MOST_FIELDS = 25;
/** Of all embeds together. */
const DISCORD_TOTAL = 6_000;

/** Of a text object. */
const SLACK_TEXT = 3_000;

export const TARGETS: Readonly<Record<string, Target>> = {
  discord: {
    plain: (content) => ({ content }),
    escape: (text) => text,
    fit: fitDiscord,
    // without it the answer comes before the message is looked at
    query: { wait: 'true' },
  },
  slack: {
    plain: (text) => ({ text }),
    escape: (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    fit: (body) => mapTexts(body, (text, key) => (key === 'text' ? shortened(text, SLACK_TEXT) : text)) as object,
    query: {},
  },
  generic: { plain: (message) => ({ message }), escape: (text) => text, fit: (body) => body, query: {} },
};

interface Embed {
  readonly description?: unknown;
  readonly fields?: unknown;
}

function fitDiscord(body: object): object {
  const fitted = mapTexts(body, (text, key) => shortened(text, DISCORD[key] ?? Number.POSITIVE_INFINITY)) as { readonly embeds?: unknown };
  // a user's text may name @everyone: nobody is called by a webhook
  const quiet = { ...fitted, allowed_mentions: { parse: [] } };
  if (!Array.isArray(fitted.embeds)) return quiet;
  let left = DISCORD_TOTAL;
  const embeds = (fitted.embeds as Embed[]).slice(0, MOST_EMBEDS).map((embed) => {
    const some = Array.isArray(embed.fields) ? { ...embed, fields: embed.fields.slice(0, MOST_FIELDS) } : embed;
    const over = sizeOf(some) - left;
    const { description } = some;
    const short =
      over > 0 && typeof description === 'string'
        ? { ...some, description: shortened(description, Math.max(1, [...description].length - over)) }
        : some;
    left -= sizeOf(short);
    return short;
  });
  return { ...quiet, embeds };
}

const COUNTED = new Set(['title', 'description', 'name', 'value', 'text']);

/** Code points of an embed that count. */
function sizeOf(embed: object): number {
  let size = 0;
  mapTexts(embed, (text, key) => {
    if (COUNTED.has(key)) size += [...text].length;
    return text;
  });
  return size;
}
