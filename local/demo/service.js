// @ts-check
/** A small service for the demo: it writes a log line every few seconds, and ends with the program that runs it. */
import { setInterval } from 'node:timers';

const [name = 'service', ...lines] = process.argv.slice(2);
const EVERY_MS = 4_000;
const LOOK_MS = 1_000;

/** @param {string} level @param {string} text */
const say = (level, text) => console.log(`${new Date().toISOString()} ${level} ${name}: ${text}`);

let said = 0;
say('INFO', `runs as process ${process.pid}`);
setInterval(() => say('INFO', (lines[said++ % lines.length] ?? 'all is well').replace('%', String(said))), EVERY_MS);

const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit();
}, LOOK_MS);

process.on('SIGTERM', () => {
  say('WARNING', 'was asked to end');
  process.exit();
});
