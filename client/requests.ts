/** Requests: a message of the client, and the message that answers it. */
import type { Env } from './env.ts';
import { ClientError } from './errors.ts';
import type { Wire } from './follower.ts';
import type { Socket } from './socket.ts';

/** An answer that has not come by then will not, in ms. */
const ANSWER_MS = 30_000;

export interface RequestOptions {
  /** In ms. @default 30,000 */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Returns true for the answer. @default by the type of the request, for those of the operations monitor */
  readonly answer?: (message: Wire) => boolean;
}

interface Pending {
  /** Of a service, if the request names one: errors name it too. */
  readonly serviceId: unknown;
  readonly isAnswer: (message: Wire) => boolean;
  readonly resolve: (message: Wire) => void;
  readonly reject: (error: ClientError) => void;
}

export interface Requests {
  /** Resolves with the answer. Rejects with a ClientError: refused by the server, not connected, too late, or aborted. Nothing is sent later. */
  send(socket: Socket | null, message: { readonly type: string; readonly data?: object }, options: RequestOptions): Promise<Wire>;
  /** Serves a message. True if it was an answer. */
  message(message: Wire): boolean;
  /** Answers are still to come. */
  readonly areWaiting: boolean;
  /** The connection is gone: no answer will come. */
  drop(why: string): void;
}

const dataOf = (message: object): Wire => ((message as Wire)['data'] ?? {}) as Wire;

/** The answers to the operations monitor's requests: their type, and the field that both have. */
const ANSWERS: Readonly<Record<string, readonly [type: string, field?: string]>> = {
  ping: ['pong', 'client_time'],
  client_info: ['connection_status'],
  service_control: ['service_event', 'service_id'],
  send_webhook: ['webhook_event', 'webhook_type'],
};

export function createRequests(env: Env): Requests {
  const pending = new Set<Pending>();
  return {
    send(socket, message, { timeout = ANSWER_MS, signal, answer }) {
      return new Promise<Wire>((resolve, reject) => {
        const [type, field] = Object.hasOwn(ANSWERS, message.type) ? (ANSWERS[message.type] as [string, string?]) : [];
        const fits = (one: Wire): boolean => one['type'] === type && (!field || dataOf(one)[field] === dataOf(message)[field]);
        const isAnswer = answer ?? (type && fits);
        if (!isAnswer) throw new ClientError('NO_ANSWER', `${message.type}: say by "answer" which message answers it`, { fatal: true });
        if (!socket) throw new ClientError('NOT_CONNECTED', 'not connected: nothing was sent');
        if (signal?.aborted) throw new ClientError('ABORTED', 'aborted before it was sent');
        const ending =
          <Value>(work: (value: Value) => void) =>
          (value: Value): void => {
            cancel();
            signal?.removeEventListener('abort', aborted);
            pending.delete(one);
            work(value);
          };
        const one: Pending = {
          isAnswer,
          serviceId: dataOf(message)['service_id'],
          resolve: ending(resolve),
          reject: ending(reject),
        };
        const aborted = (): void => one.reject(new ClientError('ABORTED', 'aborted'));
        const cancel = env.after(timeout, () => one.reject(new ClientError('TIMEOUT', `${message.type}: no answer within ${timeout} ms`)));
        pending.add(one);
        signal?.addEventListener('abort', aborted);
        try {
          socket.send(message);
        } catch (error) {
          one.reject(error as ClientError);
        }
      });
    },
    message(message) {
      const found = [...pending].find(({ isAnswer, reject }) => {
        try {
          return isAnswer(message);
        } catch (cause) {
          reject(new ClientError('HANDLER', 'answer: it threw', { cause }));
          return false;
        }
      });
      if (found) {
        found.resolve(message);
        return true;
      }
      // the protocol names no request in an error: it is of the request that names the same service, or of the only one
      const { error_code: code, error_message: text, details } = dataOf(message);
      const { topics, service_id: serviceId } = (details ?? {}) as Wire;
      if (message['type'] !== 'error' || Array.isArray(topics)) return false;
      const [only] = pending.size === 1 ? pending : [];
      const meant = serviceId === undefined ? only : [...pending].find((one) => one.serviceId === serviceId);
      meant?.reject(new ClientError(String(code), String(text), { fatal: code !== 'RATE_LIMIT_EXCEEDED' }));
      return meant !== undefined;
    },
    get areWaiting() {
      return pending.size > 0;
    },
    drop(why) {
      for (const one of pending) one.reject(new ClientError('NOT_CONNECTED', why));
    },
  };
}
