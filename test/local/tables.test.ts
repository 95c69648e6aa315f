import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { localTables } from '../../local/resources/tables.ts';

const folder = mkdtempSync(join(tmpdir(), 'push-tables-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('tables in a folder that another run uses are refused by its name, and that run goes on', async () => {
  const first = await localTables({ dataDir: folder });

  await expect(localTables({ dataDir: folder })).rejects.toThrow(`is another run using DATA_DIR=${folder}?`);

  const table = { id: 'Table', type: 'AWS::DynamoDB::GlobalTable' };
  const key = {
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  };
  await first.create({ ...table, properties: key });
  await first.stop();
});
