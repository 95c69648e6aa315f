/** `npm run bench`: every figure that the docs claim, with its control, in one run. `npm run bench -- --help` lists its options. */
import '../bin/node-version.ts';
import { commandLine } from '../bin/command-line.ts';
import { broadcast } from './broadcast.ts';
import { bundles } from './bundles.ts';
import { flood } from './flood.ts';
import { onSale } from './on-sale.ts';
import { posts } from './posts.ts';

const USAGE = `usage: npm run bench -- [broadcast] [on-sale] [flood] [posts] [bundles]     all of them if none is named
options: --clients 1000  --rate 5  --seconds 30             the broadcast's load
         --waiters 5000  --updates 100  --seconds 30        the on-sale's load
         --requests 5000                                    the flood's; its audience has a fifth of --clients
         --posts 10000                                      posts for each client`;

const { values, positionals } = commandLine(USAGE, {
  allowPositionals: true,
  options: {
    clients: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '30' },
    waiters: { type: 'string', default: '5000' },
    updates: { type: 'string', default: '100' },
    requests: { type: 'string', default: '5000' },
    posts: { type: 'string', default: '10000' },
  },
});
const BENCHES: Readonly<Record<string, () => Promise<void>>> = {
  broadcast: () => broadcast({ clients: Number(values.clients), ticksPerSecond: Number(values.rate), seconds: Number(values.seconds) }),
  'on-sale': () => onSale({ waiters: Number(values.waiters), updatesPerSecond: Number(values.updates), seconds: Number(values.seconds) }),
  flood: () =>
    flood({
      requests: Number(values.requests),
      clients: Math.ceil(Number(values.clients) / 5),
      seconds: Number(values.seconds),
    }),
  posts: () => posts(Number(values.posts)),
  bundles,
};
const wrong = ['clients', 'rate', 'seconds', 'waiters', 'updates', 'requests', 'posts'].filter(
  (name) => !/^[1-9]\d{0,6}$/.test(String(values[name as keyof typeof values])),
);
/** Updates for one waiter within one window are conflated on purpose, so not every update would arrive. */
const tooDense = Number(values.updates) > Number(values.waiters) * 2 ? [`--updates ${values.updates}: at most twice --waiters`] : [];
const unknown = [
  ...tooDense,
  ...positionals.filter((name) => !Object.hasOwn(BENCHES, name)),
  ...wrong.map((name) => `--${name} ${String(values[name as keyof typeof values])}`),
];
if (unknown.length > 0) {
  console.error(`not understood: ${unknown.join(', ')}\n${USAGE}`);
  process.exitCode = 1;
} else {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  for (const name of positionals.length > 0 ? positionals : Object.keys(BENCHES)) await BENCHES[name]?.();
}
