/** The WebSocket and the events of upstreams as AsyncAPI 3.1, made from the schemas that validate. */
import type { Channel } from '../../core/channels/channel.ts';
import { sourcesOf } from '../../core/channels/channels.ts';
import type { System } from '../../core/channels/system.ts';
import { SOCKET_PATH } from '../../core/names.ts';
import { ENGINE_MESSAGES } from '../../core/protocol/json.ts';
import { VERSION } from '../../core/version.ts';
import { jsonSchemaOf } from './json-schema.ts';

interface Message {
  readonly name: string;
  readonly summary: string;
  readonly payload: object;
}

const SOCKET = 'socket';

export function asyncApi(systems: readonly System[]): object {
  const channels = systems.flatMap((system) => system.channels.filter(({ internal }) => !internal));
  const fromClients: Message[] = [
    ...Object.entries(ENGINE_MESSAGES).map(([name, schema]) => ({
      name,
      summary: `${name}, of the engine`,
      payload: typed(name, jsonSchemaOf(schema)),
    })),
    ...systems.flatMap(({ name: system, messages }) =>
      Object.entries(messages).map(([name, { schema }]) => ({
        name: name in ENGINE_MESSAGES ? `${system}.${name}` : name,
        summary: `${name}, of the system ${system}`,
        payload: typed(name, jsonSchemaOf(schema)),
      })),
    ),
  ];
  const sources = sourcesOf(channels);
  const eventsOf = (source: string): Message[] => channels.filter((one) => one.source === source).flatMap(eventMessages);
  return {
    asyncapi: '3.1.0',
    info: {
      title: 'realtime-push',
      version: VERSION,
      description: 'What clients send over the WebSocket in JSON, what they get, and the events that upstreams put on the bus.',
      license: { name: 'MIT' },
    },
    channels: {
      [SOCKET]: {
        address: SOCKET_PATH,
        description: 'JSON over WebSocket. STOMP clients offer v12.stomp and subscribe to the same topics.',
        messages: Object.fromEntries([...fromClients, DELIVERED].map((message) => [message.name, messageOf(message)])),
      },
      ...Object.fromEntries(
        sources.map((source) => [
          source,
          {
            address: source,
            description: `Events of the source ${source}, on the bus or by POST /internal/events`,
            messages: Object.fromEntries(eventsOf(source).map((message) => [message.name, messageOf(message)])),
          },
        ]),
      ),
    },
    operations: {
      clientsSend: operation('receive', SOCKET, fromClients, 'Clients ask'),
      clientsGet: operation('send', SOCKET, [DELIVERED], 'Clients get what their topics have'),
      ...Object.fromEntries(
        sources.map((source) => [`publish.${source}`, operation('receive', source, eventsOf(source), `Upstreams publish ${source}`)]),
      ),
    },
  };
}

/** A payload with its type, which the schema leaves to the one who looks it up. */
const typed = (type: string, payload: ReturnType<typeof jsonSchemaOf>): object => ({
  ...payload,
  type: 'object',
  required: ['type', ...(payload.required ?? []).filter((name) => name !== 'type')],
  properties: { type: { const: type }, ...payload.properties },
});

const eventMessages = ({ name: channel, events }: Channel): Message[] =>
  Object.entries(events).map(([name, { schema }]) => ({
    name,
    summary: `The detail of ${name}, for the channel ${channel}`,
    payload: jsonSchemaOf(schema),
  }));

/** Payloads are made, and not checked again; `docs/protocol.md` shows them. */
const DELIVERED: Message = {
  name: 'delivered',
  summary: 'A message of a topic, an answer, or an error (docs/protocol.md)',
  payload: { type: 'object', required: ['type'], properties: { type: { type: 'string' }, position: { type: 'string' } } },
};

const messageOf = ({ name, summary, payload }: Message) => ({ name, title: name, summary, contentType: 'application/json', payload });

const operation = (action: 'send' | 'receive', channel: string, messages: readonly Message[], summary: string) => ({
  action,
  summary,
  channel: { $ref: `#/channels/${channel}` },
  messages: messages.map(({ name }) => ({ $ref: `#/channels/${channel}/messages/${name}` })),
});
