/** The outcome of one check. */
export interface Finding {
  /** What was checked, in a word or two. */
  readonly check: string;
  /** A note is neither good nor bad: something that could not be checked, or is worth a look. */
  readonly outcome: 'ok' | 'bad' | 'note';
  /** What was seen; of trouble, also what is wrong and what to do. */
  readonly says: string;
}

export const good = (check: string, says: string): Finding => ({ check, outcome: 'ok', says });
export const bad = (check: string, says: string): Finding => ({ check, outcome: 'bad', says });
export const note = (check: string, says: string): Finding => ({ check, outcome: 'note', says });
