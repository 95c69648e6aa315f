/** What a dashboard of the operations monitor asks for, beside subscribing. */

import { expiryOf } from './base/lifetimes.ts';
import { allBroadcasts } from './broadcasts.ts';
import { countConnection } from './connections/client-limit.ts';
import { dismiss } from './connections/close-with-error.ts';
import { answer } from './connections/reply.ts';
import { type Subscriber, subscribe } from './delivery/subscribe.ts';
import { PushError } from './errors.ts';
import { mayControl } from './identity.ts';
import { formatConnectionStatus, formatPong, type MonitorCommand } from './protocol/monitor.ts';
import { type MessagePorts, principalOf } from './sessions/session.ts';
import { VERSION } from './version.ts';

export async function serveMonitor(command: MonitorCommand, subscriber: Subscriber, ports: MessagePorts): Promise<void> {
  switch (command.type) {
    case 'client_info':
      return announce(command, subscriber, ports);
    case 'ping':
      await answer(subscriber.connection.connectionId, formatPong(command, ports.clock.now()), ports);
      return;
    case 'service_control':
      checkControl(subscriber, ports);
      throw new PushError('SERVICE_NOT_FOUND', `there is no service ${command.serviceId}`, { service_id: command.serviceId });
    case 'send_webhook':
      checkControl(subscriber, ports);
      throw new PushError('PERMISSION_DENIED', 'no host is allowed to be sent webhooks to', { webhook_type: command.webhookType });
  }
}

function checkControl({ connection }: Subscriber, { identity }: MessagePorts): void {
  const principal = principalOf(connection, identity);
  if (!principal || !mayControl(principal, identity)) throw new PushError('PERMISSION_DENIED', 'this needs the role ops:control');
}

async function announce(
  { announcement, explicit }: Extract<MonitorCommand, { type: 'client_info' }>,
  subscriber: Subscriber,
  ports: MessagePorts,
): Promise<void> {
  const { connection } = subscriber;
  const { connectionId } = connection;
  // it is counted under the first id it gave: else every other would leave a trace
  const announced = connection.announced ?? announcement.clientId;
  let takeBack: () => Promise<void>;
  try {
    takeBack = await countConnection({ ...connection, announced }, connection, ports);
  } catch (error) {
    if (!(error instanceof PushError)) throw error;
    return dismiss(connection, error, ports);
  }
  const wanted = explicit ? 'chosen' : 'all';
  const stands = await ports.connections.announce(connectionId, announcement, wanted, expiryOf(connection.connectedAtMs));
  if (stands?.announced !== announced) await takeBack();
  if (stands === null) return;
  const { broadcasts } = stands;
  ports.report.info('client info', { connectionId, clientId: announcement.clientId, clientType: announcement.info['client_type'] });
  const wishes = broadcasts === 'all' ? await allBroadcasts(principalOf(connection, ports.identity), ports) : [];
  await answer(connectionId, await statusOf(ports), ports);
  await subscribe(wishes, { ...subscriber, connection: { ...connection, broadcasts } }, ports);
}

async function statusOf({ connections, clock, newId }: MessagePorts): Promise<string> {
  const { count, sinceMs } = await connections.counted();
  const nowMs = clock.now();
  const uptimeSeconds = sinceMs === null ? 0 : Math.max(0, Math.floor((nowMs - sinceMs) / 1000));
  return formatConnectionStatus({ version: VERSION, clientCount: count, uptimeSeconds }, newId(), nowMs);
}
