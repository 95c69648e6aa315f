/** Serves the frames that a STOMP client sends. */
import { checkMode } from '../channels/transports.ts';
import { countConnection } from '../connections/client-limit.ts';
import { disconnect } from '../connections/disconnect.ts';
import { reply } from '../connections/reply.ts';
import { claim, subscribe } from '../delivery/subscribe.ts';
import { unsubscribe } from '../delivery/unsubscribe.ts';
import { PushError } from '../errors.ts';
import { authenticate } from '../identity.ts';
import type { Connection, Touch } from '../ports/connections.ts';
import { stompVersion } from '../protocol/encode.ts';
import { AFTER_JSON, formatReceipt, formatStompConnected, readCommand, receiptOf, type StompCommand } from '../protocol/stomp.ts';
import { parseFrames, type StompVersion } from '../protocol/stomp-frame.ts';
import { FrameError } from './frame-error.ts';
import { type ClientText, deadline, type MessagePorts, overdue, principalOf, withinLimit } from './session.ts';

/** Messages may overtake each other: a frame that refers to an earlier one waits for it, this often and this long. */
const OVERTAKEN_TRIES = 11;
const OVERTAKEN_PAUSE_MS = 150;

/** One client's message while it is served. */
interface Session {
  readonly touch: Touch;
  readonly requestedAtMs: number;
  connection: Connection;
  /** The client may have been greeted in JSON. */
  readonly afterJson: boolean;
}

const versionOf = ({ connection }: Session): StompVersion => stompVersion(connection.dialect) ?? '1.2';

/** Serves the frames of a message, in order. Throws FrameError at the first that fails. */
export async function serveStomp(message: ClientText, touch: Touch, afterJson: boolean, ports: MessagePorts): Promise<void> {
  const session: Session = { touch, requestedAtMs: message.receivedAtMs, connection: touch.connection, afterJson };
  let receipt: string | null = null;
  const goOn = deadline(ports);
  try {
    for (const frame of parseFrames(message.text, () => versionOf(session))) {
      receipt = receiptOf(frame);
      if (!goOn()) throw overdue();
      const command = readCommand(frame, versionOf(session));
      await serve(command, session, ports);
      if (command.type === 'disconnect') return;
      receipt = null;
    }
  } catch (error) {
    throw new FrameError(error, receipt, session.connection.dialect);
  }
}

async function serve(command: StompCommand, session: Session, ports: MessagePorts): Promise<void> {
  if (command.type === 'connect') return openSession(command, session, ports);
  await awaitConnect(session, ports);
  switch (command.type) {
    case 'subscribe':
      return serveSubscribe(command, session, ports);
    case 'unsubscribe':
      return serveUnsubscribe(command, session, ports);
    case 'disconnect':
      return endSession(command.receipt, session, ports);
  }
}

async function openSession(command: Extract<StompCommand, { type: 'connect' }>, session: Session, ports: MessagePorts): Promise<void> {
  const { connections, identity, mode, channels } = ports;
  const { connectionId, clientId } = session.connection;
  if (session.connection.admitted) throw new PushError('INVALID_MESSAGE_FORMAT', 'this connection is connected already');
  checkMode('websocket', mode, channels);
  const known = principalOf(session.connection, identity);
  // a token in the frame counts more than one in the handshake
  const principal = !identity.required ? null : known && command.token === null ? known : await authenticate(command.token, identity);
  const dialect = `stomp-${command.version}` as const;
  const takeBack = await countConnection({ ...session.connection, principal }, session.connection, ports);
  if (!(await connections.admit(connectionId, { dialect, principal }))) {
    await takeBack();
    return ports.gateway.close(connectionId);
  }
  session.connection = { ...session.connection, dialect, principal, admitted: true };
  ports.report.info('stomp connected', { connectionId, clientId, version: command.version });
  const text = formatStompConnected(command.version, clientId, ports.pingIntervalMs);
  await reply(connectionId, session.afterJson ? AFTER_JSON + text : text, ports);
}

/** Waits until this connection's CONNECT was served: this message may have overtaken it. */
async function awaitConnect(session: Session, { connections, clock }: MessagePorts): Promise<void> {
  if (session.connection.admitted) return;
  const isAdmitted = async () => {
    session.connection = (await connections.read(session.connection.connectionId)) ?? session.connection;
    return session.connection.admitted;
  };
  if (!(await patiently(isAdmitted, { clock }))) throw new PushError('INVALID_MESSAGE_FORMAT', 'expected CONNECT first');
}

/** Whether something holds, or will within a moment. */
async function patiently(holds: () => Promise<boolean>, { clock }: Pick<MessagePorts, 'clock'>): Promise<boolean> {
  for (let tries = 1; !(await holds()); tries++) {
    if (tries === OVERTAKEN_TRIES) return false;
    await clock.sleep(OVERTAKEN_PAUSE_MS);
  }
  return true;
}

async function serveSubscribe(command: Extract<StompCommand, { type: 'subscribe' }>, session: Session, ports: MessagePorts): Promise<void> {
  const { connection, touch, requestedAtMs } = session;
  const { id: subscriptionId, destination: topic, since, receipt } = command;
  const channel = ports.channels.of(topic);
  if (!channel) throw new PushError('INVALID_MESSAGE_FORMAT', `no channel has the destination ${topic}; there are ${ports.channels.hints}`);
  const principal = principalOf(connection, ports.identity);
  if (!principal || !channel.permits(topic, principal))
    throw new PushError('PERMISSION_DENIED', `${topic} is not yours to subscribe to: it ${channel.permitHint}`);
  const { wishes, tooMany } = await withinLimit(
    touch,
    [{ topic, channel, since, subscriptionId, receipt, filter: null, unasked: false }],
    ports,
  );
  if (tooMany) throw tooMany;
  const subscriber = { connection, requestedAtMs };
  // the UNSUBSCRIBE that freed the id may have been overtaken
  if (!(await patiently(() => claim({ topic, subscriptionId }, subscriber, ports), ports))) {
    const what = subscriptionId === '' ? `a subscription to ${topic}` : `the subscription id ${JSON.stringify(subscriptionId)}`;
    throw new PushError('INVALID_MESSAGE_FORMAT', `${what} is taken; use another id, or UNSUBSCRIBE first`);
  }
  ports.report.info('subscribe', { connectionId: connection.connectionId, topics: [topic] });
  await subscribe(wishes, subscriber, ports);
}

async function serveUnsubscribe(
  command: Extract<StompCommand, { type: 'unsubscribe' }>,
  session: Session,
  ports: MessagePorts,
): Promise<void> {
  const { connection, requestedAtMs } = session;
  const { connectionId } = connection;
  const find = async () =>
    (await ports.ownSubscriptions.list(connectionId, command.id)).filter(({ topic }) => topic === (command.destination ?? topic));
  let found: Awaited<ReturnType<typeof find>> = [];
  const isThere = async () => {
    if (found.length === 0) found = await find();
    return found.length > 0;
  };
  // if it were ignored, a subscribe that is still on its way would stay for good
  if (!(await patiently(isThere, ports)))
    throw new PushError('INVALID_MESSAGE_FORMAT', `there is no subscription ${JSON.stringify(command.id)}`);
  await unsubscribe(found, { connection, requestedAtMs }, ports);
  ports.report.info('unsubscribe', { connectionId, topics: found.map(({ topic }) => topic) });
  await sendReceipt(command.receipt, session, ports);
}

async function endSession(receipt: string | null, session: Session, ports: MessagePorts): Promise<void> {
  const { connectionId } = session.connection;
  await sendReceipt(receipt, session, ports);
  await ports.gateway.close(connectionId);
  await disconnect(connectionId, ports);
}

async function sendReceipt(receipt: string | null, session: Session, ports: MessagePorts): Promise<void> {
  if (receipt !== null) await reply(session.connection.connectionId, formatReceipt(receipt, null, versionOf(session)), ports);
}
