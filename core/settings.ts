/** Settings: environment variables, read at synth and passed on to the functions. `docs/settings.md` is made from these definitions. */
export interface Setting {
  /** The environment variable. */
  readonly name: string;
  /** Its value if it is not set. */
  readonly fallback: string;
  /** Returns the expected form, or `null` if the value can be used. */
  readonly check: (value: string) => string | null;
  /** The form in which the functions get a value that passed the check. @default as it was given */
  readonly normal?: (value: string) => string;
  /** Its effect, in one line. */
  readonly doc: string;
}

/** Values by name. Every setting of the engine and the systems has one. */
export type Settings = Readonly<Record<string, string>>;

export const numberOf = (settings: Settings, name: string): number => Number(settings[name]);

/** Checks for a whole number in a range. */
export const wholeNumberIn =
  (least: number, most = Number.MAX_SAFE_INTEGER): Setting['check'] =>
  (value) =>
    /^\d+$/.test(value) && Number(value) >= least && Number(value) <= most
      ? null
      : `a whole number from ${least}${most === Number.MAX_SAFE_INTEGER ? ' up' : ` to ${most}`}`;

/** Checks for a pattern; `what` says what was expected. */
export const matching =
  (pattern: RegExp, what: string): Setting['check'] =>
  (value) =>
    pattern.test(value) ? null : what;
