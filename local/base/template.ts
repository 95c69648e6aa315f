/** Reads a synthesised stack: its CloudFormation template, with references resolved to their local counterparts. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Resource {
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface Template {
  /** As it was synthesised. */
  readonly whole: object;
  readonly resources: readonly Resource[];
  ofType(type: string): Resource[];
  /** The value of an output, unresolved; `undefined` if there is none. */
  output(name: string): unknown;
  /** The names of all outputs. */
  readonly outputs: readonly string[];
  /** The folder of an asset, by the key it would have in the bucket. */
  assetFolder(key: string): string;
}

export function readTemplate(templateFile: string): Template {
  const template = readJson(templateFile) as {
    Resources: Record<string, { Type: string; Properties?: Record<string, unknown> }>;
    Outputs?: Record<string, { Value: unknown }>;
  };
  const manifest = readJson(templateFile.replace(/\.template\.json$/, '.assets.json')) as {
    files: Record<string, { source: { path: string } }>;
  };
  const resources = Object.entries(template.Resources).map(([id, { Type, Properties = {} }]) => ({
    id,
    type: Type,
    properties: Properties,
  }));
  return {
    whole: template,
    resources,
    ofType: (type) => resources.filter((resource) => resource.type === type),
    output: (name) => template.Outputs?.[name]?.Value,
    outputs: Object.keys(template.Outputs ?? {}),
    assetFolder(key) {
      const asset = manifest.files[key.replace(/\.zip$/, '')];
      if (!asset) throw new Error(`the template refers to an asset ${key} that is not in the assembly`);
      return join(dirname(templateFile), asset.source.path);
    },
  };
}

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

/** Resolves the references in a value of a template. */
export type Resolve = <Value>(value: unknown) => Value;

/** The local value of a reference to a resource. `attribute` is null for `Ref`. */
export type Lookup = (id: string, attribute: string | null) => string;

/** Values of CloudFormation's pseudo parameters. */
export const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Region': 'ap-northeast-2',
  'AWS::AccountId': '000000000000',
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::StackName': 'RealtimePush-local',
};

/** Resolves the intrinsic functions in a value. Throws an error that names an unsupported one. */
export function resolveValue(value: unknown, lookup: Lookup): unknown {
  if (Array.isArray(value)) return value.map((one) => resolveValue(one, lookup));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [name, argument] = entries[0] ?? [];
  if (entries.length !== 1 || name === undefined || !(name === 'Ref' || name.startsWith('Fn::'))) {
    return Object.fromEntries(entries.map(([key, one]) => [key, resolveValue(one, lookup)]));
  }
  const refer = (id: string, attribute: string | null): string => (attribute === null ? PSEUDO[id] : undefined) ?? lookup(id, attribute);
  switch (name) {
    case 'Ref':
      return refer(String(argument), null);
    case 'Fn::GetAtt': {
      const [id, attribute] = Array.isArray(argument) ? argument.map(String) : String(argument).split('.');
      return refer(id ?? '', attribute ?? '');
    }
    case 'Fn::Join': {
      const [separator, parts] = argument as [string, unknown[]];
      return parts.map((part) => String(resolveValue(part, lookup))).join(separator);
    }
    case 'Fn::Sub':
      return String(argument).replace(/\$\{([^}!]+)\}/g, (_, reference: string) => {
        const [id = '', attribute = null] = reference.split('.');
        return refer(id, attribute);
      });
    case 'Fn::Select': {
      const [index, list] = argument as [number | string, unknown];
      return (resolveValue(list, lookup) as unknown[])[Number(index)];
    }
    case 'Fn::Split': {
      const [separator, text] = argument as [string, unknown];
      return String(resolveValue(text, lookup)).split(separator);
    }
    default:
      throw new Error(`the local run does not support the intrinsic function ${name}: add it to local/base/template.ts`);
  }
}
