import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import { jsonObject } from '../../core/base/validation.ts';

/** A validating schema as JSON Schema, of what goes in. Checks that JSON Schema cannot express appear in the description. */
export function jsonSchemaOf(schema: GenericSchema): JsonSchema {
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
