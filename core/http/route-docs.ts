/** Descriptions of the engine's routes, for their callers. */
import * as v from 'valibot';
import { wholeNumber } from '../base/numbers.ts';
import { jsonObject } from '../base/validation.ts';
import type { Channel } from '../channels/channel.ts';
import type { ParameterDoc, RouteDoc } from '../channels/system.ts';
import { NUMBER, type Parameter } from '../channels/topic-pattern.ts';
import { comeBackRequest } from '../connections/come-back.ts';
import { publishRequest } from '../events/publish.ts';
import { ticketRequest } from './tickets.ts';
import { disconnectRequest } from './users.ts';

const text = v.string();

export const message = (): RouteDoc => ({
  summary: 'A message that was too large for a frame, and was delivered as a reference',
  parameters: { id: { says: 'as the reference has it', schema: text } },
  answer: jsonObject,
  errors: ['PERMISSION_DENIED', 'NOT_FOUND'],
});

export const ticket = (channels: readonly Channel[]): RouteDoc => ({
  summary: "A ticket that stands in for the caller's token, for programs that can send no header",
  body: ticketRequest(channels),
  bodyIsOptional: true,
  answer: v.object({ ticket: text, expires_in: wholeNumber }),
});

export const health = (): RouteDoc => ({
  summary: 'The deployment, and how it is',
  answer: v.looseObject({ status: v.literal('ok'), version: text, build: text, connections: wholeNumber, topics: wholeNumber }),
});

export const publish = (): RouteDoc => ({
  summary: 'Publishes events. Each is taken or rejected by itself; /api/asyncapi.json has the details of each kind',
  identity: 'key',
  body: publishRequest,
  example: {
    lane: 'bus',
    events: [
      {
        id: 'tick-1',
        source: 'market.price',
        detailType: 'TradingHalted',
        detail: { ticker: '005935', reason: 'an example', timestamp: '2026-02-06T22:48:44+00:00' },
      },
    ],
  },
  status: 202,
  answer: v.object({
    accepted: wholeNumber,
    rejected: v.array(v.object({ index: wholeNumber, path: v.exactOptional(text), error_code: text, error_message: text })),
  }),
});

export const disconnect = (): RouteDoc => ({
  summary: "Closes a user's connections, ends their event streams, and refuses tokens from before",
  identity: 'key',
  parameters: { id: { says: "the user's id", schema: v.pipe(text, v.maxLength(128)) } },
  body: disconnectRequest,
  bodyIsOptional: true,
  status: 202,
  answer: v.object({ user: text, connections: wholeNumber }),
  errors: ['PERMISSION_DENIED', 'NOT_FOUND'],
});

export const reconnect = (): RouteDoc => ({
  summary: 'Asks every JSON client to come back, each at a random moment of a window, such as before a deployment is moved',
  identity: 'key',
  body: comeBackRequest,
  bodyIsOptional: true,
  status: 202,
  answer: v.object({ connections: wholeNumber, after_ms: wholeNumber, within_ms: wholeNumber }),
  errors: ['PERMISSION_DENIED'],
});

type Parameters = Readonly<Record<string, Parameter>>;

const schemaOf = (parameter: Parameter): v.GenericSchema =>
  parameter === NUMBER ? wholeNumber : v.pipe(text, v.regex(new RegExp(`^(?:${parameter.pattern})$`)));

const inQuery = (parameters: Parameters): Record<string, ParameterDoc> =>
  Object.fromEntries(
    Object.entries(parameters).map(([name, one]) => [name, { says: one.expected, schema: schemaOf(one), required: true as const }]),
  );

export const register = (parameters: Parameters): RouteDoc => ({
  summary: "Keeps the topic's position: the user's next subscription starts there",
  body: v.object(Object.fromEntries(Object.entries(parameters).map(([name, one]) => [name, schemaOf(one)]))),
  answer: v.object({ transport: v.literal('websocket'), destination: text }),
  errors: ['PERMISSION_DENIED', 'CHANNEL_DISABLED'],
});

export const unregister = (parameters: Parameters): RouteDoc => ({
  summary: 'Forgets a registration',
  parameters: inQuery(parameters),
  status: 204,
  answer: null,
  errors: ['PERMISSION_DENIED'],
});

export const stream = (parameters: Parameters): RouteDoc => ({
  summary: 'The topic as Server-Sent Events',
  parameters: {
    ...inQuery(parameters),
    lastEventId: { says: 'the id of the last event, where a program cannot send the header Last-Event-ID', schema: text },
    ticket: { says: 'stands in for a token', schema: text },
    once: { says: '1 = what the client lacks as one answer, and no stream', schema: v.picklist(['0', '1']) },
    format: {
      says: 'json = messages as JSON clients get them; with once=1 the answer is a JSON object',
      schema: v.picklist(['json', 'events']),
    },
  },
  answer: 'event stream',
  identity: 'token',
  errors: ['PERMISSION_DENIED', 'CHANNEL_DISABLED'],
});
