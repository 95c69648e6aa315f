import type { Kind } from '../channels/channel.ts';
import type { KindStrategy } from './kind.ts';
import { LOG } from './log-kind.ts';
import { STATE } from './state-kind.ts';

export const KINDS: Readonly<Record<Kind, KindStrategy>> = { state: STATE, log: LOG };
