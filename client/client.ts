import { addressesOf } from './addresses.ts';
import { createConnection } from './connection.ts';
import type { Connection } from './connection-form.ts';
import { emitter } from './emitter.ts';
import { defaultEnv } from './env.ts';
import type { ClientError } from './errors.ts';
import type { Wire } from './follower.ts';
import { addFollower, refuse } from './handles.ts';
import { deliverWhole } from './large.ts';
import type { Client, ClientEvents, ClientOptions, FollowOptions } from './options.ts';
import { parsePosition } from './position.ts';
import { pulled } from './queue.ts';
import { createRequests } from './requests.ts';
import { SILENCE_MS } from './socket.ts';
import { tokenSource } from './token.ts';
import { createTopics } from './topics.ts';

/** Features that are announced: no default subscriptions, and several messages in a frame. */
const FEATURES = ['explicit', 'batch'];

type WireHandler = (message: Wire) => unknown;

/** Makes a client; it does nothing until `start`. Throws a ClientError if an option is wrong. */
export function createClient(options: ClientOptions): Client {
  const { url = '', token, transports = ['websocket', 'sse'], info, silence = SILENCE_MS, env: given, ...unknown } = options ?? {};
  refuse(unknown);
  const env = defaultEnv(given);
  const addresses = addressesOf(url);
  const topics = createTopics();
  const requests = createRequests(env);
  const tokens = tokenSource(token, env);
  const { on, emit } = emitter<ClientEvents>();
  const failed = (error: ClientError): void => {
    // an error that nobody listens to must not be lost
    if (!emit('error', error)) console.error(error);
  };
  const connection: Connection = createConnection({
    addresses,
    transports,
    tokens,
    topics,
    requests,
    env,
    silenceMs: silence,
    info: info ? { ...info, features: FEATURES } : null,
    status: (status) => void emit('status', status),
    failed,
    changed({ followers }) {
      for (const { form } of followers) form.onChange();
    },
  });
  const ports = { topics, connection, failed, deliver: deliverWhole(addresses.api, tokens, env) };
  const nothing = (): void => undefined;

  /** Follows a topic for `for await`. */
  const iterate = (topic: string, given: FollowOptions) => {
    const queue = pulled<Wire>(() => handle.close());
    const look = (): void => {
      if (handle.status === 'closed' || connection.status === 'closed') end();
      else if (handle.status === 'denied') end(follower.denied ?? connection.denial ?? undefined);
    };
    const end = (error?: Error): void => {
      unlisten();
      queue.end(error);
      handle.close();
    };
    const deliver = (message: Wire) =>
      queue.offer(message, () => {
        follower.handed = parsePosition(message['position']) ?? follower.handed;
      });
    const onChange = () => queueMicrotask(look);
    const { handle, follower } = addFollower(queue, topic, { conflates: false, isPulled: true, deliver, onChange }, given, ports);
    const unlisten = on('status', look);
    return handle;
  };

  return {
    get status() {
      return connection.status;
    },
    get transport() {
      return connection.transport;
    },
    start: connection.start,
    close: connection.close,
    on,
    watch: (topic, handler, given = {}) =>
      addFollower({}, topic, { conflates: true, deliver: handler as WireHandler, onChange: nothing }, given, ports).handle,
    follow: ((topic: string, first: WireHandler | FollowOptions = {}, second: FollowOptions = {}) =>
      typeof first === 'function'
        ? addFollower({}, topic, { conflates: false, deliver: first, onChange: nothing }, second, ports).handle
        : iterate(topic, first)) as unknown as Client['follow'],
    request: (message, given = {}) => requests.send(connection.socket, message, given),
  };
}
