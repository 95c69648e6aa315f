import type { System, SystemPorts } from '../channels/system.ts';
import type { Ports } from '../ports/ports.ts';
import { BUILD } from './build.ts';

export type HealthPorts = SystemPorts &
  Pick<Ports, 'connections' | 'catalogue'> & { readonly systems: readonly System[]; readonly version: string };

/** The deployment's health, with each system's part. */
export async function health(ports: HealthPorts): Promise<object> {
  const { connections, catalogue, systems, version } = ports;
  const [{ count }, heard, parts] = await Promise.all([
    connections.counted(),
    catalogue.heard(),
    Promise.all(systems.map(async (system) => system.health?.(ports))),
  ]);
  return Object.assign({ status: 'ok', version, build: BUILD, connections: count, topics: heard.length }, ...parts);
}
