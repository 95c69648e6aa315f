/** A deployment that somebody has damaged: the shared template with a change, beside it for the sake of its assets. */
import { randomUUID } from 'node:crypto';
import { copyFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inject } from 'vitest';

export interface PlantedResource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
}
export interface PlantedTemplate {
  readonly Resources: Record<string, PlantedResource>;
}

const assetsOf = (templateFile: string): string => templateFile.replace(/\.template\.json$/, '.assets.json');

/** @returns the file of the damaged template */
export function planted(damage: (template: PlantedTemplate) => void): string {
  const shared = inject('templateFile');
  const template = JSON.parse(readFileSync(shared, 'utf8')) as PlantedTemplate;
  const file = join(dirname(shared), `planted-${randomUUID()}.template.json`);
  copyFileSync(assetsOf(shared), assetsOf(file));
  damage(template);
  writeFileSync(file, JSON.stringify(template));
  return file;
}

/** The one resource of this type whose id begins so. */
export function partOf({ Resources }: PlantedTemplate, type: string, begin: string): [id: string, part: PlantedResource] {
  const found = Object.entries(Resources).filter(([id, { Type }]) => Type === type && id.startsWith(begin));
  if (found[0] === undefined || found.length > 1) throw new Error(`${found.length} resources of ${type} begin with ${begin}`);
  return found[0];
}

/** Gives a function code of another day, under a key of its own as the CDK would. */
export function makeStale(file: string, fn: PlantedResource): void {
  const code = fn.Properties['Code'] as { S3Key: string };
  const folder = dirname(file);
  const hash = code.S3Key.replace('.zip', '');
  const stale = randomUUID();
  const manifest = JSON.parse(readFileSync(assetsOf(file), 'utf8')) as { files: Record<string, { source: { path: string } }> };
  cpSync(join(folder, manifest.files[hash]?.source.path ?? ''), join(folder, `asset.${stale}`), { recursive: true });
  manifest.files[stale] = { source: { path: `asset.${stale}` } };
  writeFileSync(assetsOf(file), JSON.stringify(manifest));
  code.S3Key = `${stale}.zip`;
}
