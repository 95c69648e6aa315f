/** The outcome of one check. */
export interface Finding {
  /** The thing that was checked, in a word or two. */
  readonly check: string;
  /** A note is neither good nor bad: something that could not be checked, or is worth a look. */
  readonly outcome: 'ok' | 'bad' | 'note';
  /** The observation; of trouble, also the fault and how to mend it. */
  readonly says: string;
}

export const good = (check: string, says: string): Finding => ({ check, outcome: 'ok', says });
export const bad = (check: string, says: string): Finding => ({ check, outcome: 'bad', says });
export const note = (check: string, says: string): Finding => ({ check, outcome: 'note', says });

/** The way to bring a deployment to this checkout. */
export const DEPLOY = 'npm run deploy; on this machine, end npm start and start it anew';

/** The findings of a check; if it throws, the one that says so. The other checks go on. */
export async function attempted(check: string, judge: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await judge();
  } catch (error) {
    const { name, message } = error as Error;
    return [bad(check, `could not be checked: ${name}: ${message}`)];
  }
}
