/** Templates: JSON bodies with variables, `{{title}}`, in their texts. */
import { cut } from '../../../core/base/text.ts';

/** A template: a body for each webhook type that it is for. */
export type Template = Readonly<Record<string, unknown>>;

export type Variables = Readonly<Record<string, unknown>>;

/** A template that cannot be used, as its caller is told. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

const VARIABLE = /\{\{\s*(\w+)\s*\}\}/g;

/**
 * The body with its variables filled in, in one pass: a variable's own text is never read as a template, and it cannot leave
 * the text that it stands in. `harmless` makes a text so for the target. Throws a TemplateError that lists what is missing.
 */
export function fill(body: unknown, variables: Variables, harmless: (text: string) => string): unknown {
  const missing = new Set<string>();
  const filled = mapTexts(body, (text) =>
    text.replace(VARIABLE, (_, name: string) => {
      const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
      if (value === undefined || value === null) missing.add(name);
      return harmless(typeof value === 'string' ? value : JSON.stringify(value ?? ''));
    }),
  );
  if (missing.size > 0) throw new TemplateError(`variables: the template needs ${[...missing].join(', ')}`);
  return filled;
}

/** The value with every text in it replaced. */
export function mapTexts(value: unknown, change: (text: string, key: string) => string, key = ''): unknown {
  if (typeof value === 'string') return change(value, key);
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, change, key));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, mapTexts(one, change, name)]));
}

/** A text of at most so many code points, the ellipsis included. */
export function shortened(text: string, most: number): string {
  const points = [...text];
  return points.length <= most ? text : `${points.slice(0, most - 1).join('')}…`;
}

/** The templates in files, by their names without `.json`. Throws for what is no template. */
export function readTemplates(files: Readonly<Record<string, unknown>>): Readonly<Record<string, Template>> {
  for (const [name, template] of Object.entries(files))
    if (typeof template !== 'object' || template === null || Array.isArray(template))
      throw new Error(`${name}: expected an object with a body for each webhook type, got ${cut(JSON.stringify(template), 100)}`);
  return files as Readonly<Record<string, Template>>;
}
