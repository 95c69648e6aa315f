/** The first import of each program: ends it on a Node that is too old, before anything fails for a reason that nobody understands. */
import { readFileSync } from 'node:fs';

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { engines: { node: string } };
const wanted = engines.node.replace('>=', '');

if (isOlder(process.versions.node, wanted)) {
  console.error(`realtime-push needs Node ${wanted} or newer, and this is ${process.versions.node}: https://nodejs.org has newer ones`);
  process.exit(1);
}

// the SDK warns of a Node that is older than the deployed runtime: on this machine that is no fault
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = than.split('.').map(Number);
  return major < leastMajor || (major === leastMajor && minor < leastMinor);
}
