import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import { jsonObject } from '../../core/base/validation.ts';

/** Of a pipe that checks for an object first, and then for its fields, the schema of the fields. */
function innermost(schema: GenericSchema): GenericSchema {
  const { pipe } = schema as { readonly pipe?: readonly { readonly kind: string; readonly type: string }[] };
  const fields = pipe?.findLast(({ kind, type }) => kind === 'schema' && type === 'object');
  return (fields as GenericSchema | undefined) ?? schema;
}

/** A validating schema as JSON Schema, of what goes in. Checks that JSON Schema cannot express appear in the description. */
export function jsonSchemaOf(given: GenericSchema): JsonSchema {
  const schema = innermost(given);
  const { $schema, ...json } = toJsonSchema(schema, {
    target: 'draft-2020-12',
    typeMode: 'input',
    errorMode: 'ignore',
    overrideSchema: ({ valibotSchema, jsonSchema }) => (valibotSchema === jsonObject ? { type: 'object' } : jsonSchema),
    overrideAction({ valibotAction, jsonSchema }) {
      const { type, message } = valibotAction as { readonly type: string; readonly message?: unknown };
      if (type === 'safe_integer')
        return { ...jsonSchema, type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };
      return type === 'check' && typeof message === 'string' ? { ...jsonSchema, description: message } : undefined;
    },
  });
  return json;
}
