/** The command lines of all programs: `--help` prints the usage, and a mistake is said in one line, with the usage after it. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** A text from elsewhere, for a terminal: one line, and no control characters, which could move the cursor or forge a line. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]/gu, '\ufffd');

/** Reads the options. Ends the process after `--help` (status 0), or if an option is unknown or lacks its value (status 1). */
export function commandLine<const Config extends ParseArgsConfig>(usage: string, config: Config): ReturnType<typeof parseArgs<Config>> {
  try {
    const read = parseArgs({ ...config, options: { ...config.options, help: { type: 'boolean', short: 'h' } } });
    if (!('help' in read.values)) return read as ReturnType<typeof parseArgs<Config>>;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    // only the first sentence: Node's others are about positional arguments
    const [mistake] = (error as Error).message.split(/(?<=')\. /);
    console.error(`${mistake}\n${usage}`);
    process.exit(1);
  }
}
