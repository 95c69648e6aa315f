/** Commands to agents: each agent has a log of its own, which nobody else may read. */
import * as v from 'valibot';
import { instant, optional } from '../../core/base/validation.ts';
import { defineChannel, type EventTime, event, type MessageOf } from '../../core/channels/define-channel.ts';
import { onlyAgent } from '../../core/channels/permits.ts';
import { name } from './fields.ts';

/** A command without a time has this long, in seconds. */
const DEFAULT_TIMEOUT = 30;
/** More counts as this: a queue delays its deadline by 15 minutes at most. */
const MOST_TIMEOUT = 600;

/** The time that a command has, in seconds. */
export const secondsOf = (timeout: number | undefined): number => Math.min(MOST_TIMEOUT, timeout || DEFAULT_TIMEOUT);

export const commandOptions = v.object({
  force: optional(v.boolean()),
  timeout: optional(v.pipe(v.number(), v.minValue(0))),
});

/** The actions that an agent may be told. */
export const ACTIONS = ['start', 'stop', 'restart'] as const;

export const COMMAND = { source: 'push.control', detailType: 'ServiceControlRequested' } as const;

const requested = v.object({
  command_id: name,
  agent: name,
  service_id: name,
  action: v.picklist(ACTIONS),
  options: commandOptions,
  // an agent that gets it later than this must not carry it out
  expires_at: instant,
});
export type Command = v.InferOutput<typeof requested>;

export const commandChannel = defineChannel({
  name: 'command',
  kind: 'log',
  source: COMMAND.source,
  topic: 'ops:command:{agent}',
  events: {
    [COMMAND.detailType]: event(requested, ({ agent, ...command }) => ({
      topic: { agent },
      value: (at: EventTime) => ({ ...command, at: at.iso }),
    })),
  },
  payload: ({ parts: { newest } }: MessageOf<{ newest: Omit<Command, 'agent'> & { readonly at: string } }>) => {
    if (!newest) return null;
    const { at, ...command } = newest;
    return { type: 'service_command', data: command, timestamp: at };
  },
  permits: onlyAgent('agent'),
});
