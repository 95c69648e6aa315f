/**
 * `live`: every topic has what there is. `recovering`: the connection is back, and what was missed is coming. `waiting`: for
 * the next try. `denied`: the server takes no token of this program; `start` tries again.
 */
export type Status = 'idle' | 'connecting' | 'live' | 'recovering' | 'waiting' | 'denied' | 'closed';
