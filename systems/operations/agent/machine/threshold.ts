/** One threshold: raises at one value and clears at another, each only after a while. Without values it keeps what it was. */

export interface ThresholdForm {
  /** Raised at this value and above. */
  readonly fire: number;
  /** Cleared below this one. */
  readonly clear: number;
  /** The value must stand so long before it is raised, and before it is cleared, in ms. */
  readonly forMs: number;
  readonly clearForMs: number;
}

/** Kept over a restart of the agent. */
export interface ThresholdState {
  readonly raised: boolean;
  /** Since when the value asks for a change; `null` = it does not. Wall clock, in ms. */
  readonly sinceMs: number | null;
}

export const CALM: ThresholdState = { raised: false, sinceMs: null };

/** The state after a value, and the change, if it is one. `value` is `null` if there is none: that is no sign of health. */
export function judge(
  state: ThresholdState,
  value: number | null,
  nowMs: number,
  { fire, clear, forMs, clearForMs }: ThresholdForm,
): { readonly state: ThresholdState; readonly change: 'raise' | 'clear' | null } {
  if (value === null) return { state, change: null };
  const asks = state.raised ? value < clear : value >= fire;
  if (!asks) return { state: { ...state, sinceMs: null }, change: null };
  // a clock that was set back waits from now on
  const sinceMs = Math.min(state.sinceMs ?? nowMs, nowMs);
  if (nowMs - sinceMs < (state.raised ? clearForMs : forMs)) return { state: { ...state, sinceMs }, change: null };
  return { state: { raised: !state.raised, sinceMs: null }, change: state.raised ? 'clear' : 'raise' };
}
