/** Serves what a JSON client asks for. */
import type { ClientSession, SubscribeRequest } from '../channels/system.ts';
import { reply } from '../connections/reply.ts';
import type { Subscriber } from '../delivery/first-delivery.ts';
import { PushError } from '../errors.ts';
import { mayAct } from '../identity.ts';
import type { Touch } from '../ports/connections.ts';
import { type Command, WITH_TOPIC } from '../protocol/json.ts';
import { announce } from './announce.ts';
import { serveSubscribe, serveUnsubscribe, some } from './json-subscribe.ts';
import { hears, listen } from './listen.ts';
import { serveRefresh } from './refresh.ts';
import { type MessagePorts, principalOf } from './session.ts';

export async function serveJson(command: Command, touch: Touch, requestedAtMs: number, ports: MessagePorts): Promise<void> {
  const unknown = (topics: readonly string[]): PushError =>
    new PushError('INVALID_MESSAGE_FORMAT', `no channel has the topic ${some(topics)}; there are ${ports.channels.hints}`, {
      expected_fields: WITH_TOPIC,
    });
  const plain: Pick<SubscribeRequest, 'filters' | 'choosesFrom' | 'unknown'> = { filters: new Map(), choosesFrom: [], unknown };
  switch (command.type) {
    case 'pong':
      return;
    case 'refresh':
      return serveRefresh(command.token, touch.connection, ports);
    case 'subscribe':
      return serveSubscribe({ ...plain, ...command }, touch, requestedAtMs, ports);
    case 'unsubscribe':
      return serveUnsubscribe({ ...plain, ...command }, { connection: touch.connection, requestedAtMs }, ports);
    case 'system':
      return command.handler.serve(command.message, sessionOf(touch, { connection: touch.connection, requestedAtMs }, ports));
  }
}

/** The session that a system's handler gets. */
function sessionOf(touch: Touch, subscriber: Subscriber, ports: MessagePorts): ClientSession {
  const { connection, requestedAtMs } = subscriber;
  const principal = principalOf(connection, ports.identity);
  return {
    principal,
    ports,
    mayAct: (role) => mayAct(principal, role, ports.identity),
    reply: async (text) => void (await reply(connection.connectionId, text, ports)),
    subscribe: (request) => serveSubscribe(request, touch, requestedAtMs, ports),
    hears: (topic, payload) => hears(topic, payload, subscriber, ports),
    listen: (topic, filter) => listen(topic, filter, subscriber, ports),
    unsubscribe: (request) => serveUnsubscribe(request, subscriber, ports),
    announce: (announcement, defaults, answer) => announce(announcement, defaults, answer, subscriber, ports),
  };
}
