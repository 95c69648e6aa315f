/** Arrows point one way: bin → lib, local, systems, core; lib → core; functions → adapters, systems/index.ts → core; core → nothing. */
const only = (from, to, except = '$^') => ({
  name: `${from}-arrows`,
  severity: 'error',
  comment: `${from}/ may import only what docs/architecture.md draws`,
  from: { path: `^${from}/` },
  to: { path: '^(bin|lib|core|systems|functions|local|client|web|bench|scripts|test)/', pathNot: [`^${from}/`, ...to, except] },
});
/** The folders of core/, from the ground up: each imports only those before it. */
const FLOORS = ['base', 'ports', 'channels', 'protocol', 'connections', 'delivery', 'sessions', 'events', 'http'];
const upwards = FLOORS.slice(0, -1).map((folder, index) => ({
  name: `core-${folder}-arrows`,
  severity: 'error',
  comment: `core/${folder}/ lies beneath core/${FLOORS.slice(index + 1).join('/, core/')}/`,
  from: { path: `^core/${folder}/` },
  to: { path: `^core/(${FLOORS.slice(index + 1).join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...upwards,
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'sdk-in-adapters',
      severity: 'error',
      comment: 'functions/adapters/ is the only importer of the SDK',
      from: { path: '^(core|lib|systems|functions)/', pathNot: '^functions/adapters/' },
      to: { path: 'node_modules/@aws-sdk/' },
    },
    {
      name: 'core-is-pure',
      severity: 'error',
      comment: 'core/ and systems/ have no I/O of their own, but in adapters and agents of a system: they take ports',
      from: { path: '^(core|systems)/', pathNot: '^systems/[^/]+/(adapters|agent)/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'core'], pathNot: 'node_modules/(valibot|ipaddr\\.js)/' },
    },
    {
      name: 'handlers-on-top',
      severity: 'error',
      from: { path: '^functions/(adapters|middleware|wiring)/' },
      to: { path: '^functions/[^/]+\\.ts$' },
    },
    {
      name: 'adapters-beneath',
      severity: 'error',
      comment: 'an adapter knows the ports, and neither the systems nor the wiring',
      from: { path: '^functions/adapters/' },
      to: { path: '^(systems|functions/(middleware|wiring))/' },
    },
    {
      name: 'systems-apart',
      severity: 'error',
      comment: 'a system imports no other system',
      from: { path: '^systems/([^/]+)/' },
      to: { path: '^systems/', pathNot: '^systems/$1/' },
    },
    {
      name: 'systems-by-their-list',
      severity: 'error',
      comment: 'systems/index.ts is the only file that names the systems',
      from: { path: '^(bin|bench|lib|local|scripts|functions)/' },
      // programs start the agents of systems
      to: { path: '^systems/[^/]+/', pathNot: '^systems/[^/]+/agent/' },
    },
    {
      name: 'local-from-the-ground-up',
      severity: 'error',
      comment: 'local → local/resources → local/base',
      from: { path: '^local/(base|resources)/' },
      to: { path: '^local/[^/]+\\.ts$|^local/demo/' },
    },
    {
      name: 'local-base-beneath',
      severity: 'error',
      from: { path: '^local/base/' },
      to: { path: '^local/', pathNot: '^local/base/' },
    },
    only('core', []),
    only('client', []),
    {
      name: 'client-takes-nothing',
      severity: 'error',
      comment: 'client/ runs in browsers without any package; React has a file of its own',
      from: { path: '^client/', pathNot: '^client/(react|cli)\\.ts$' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'core'] },
    },
    only('systems', ['^core/', '^client/index\\.ts$']),
    {
      name: 'client-in-agents',
      severity: 'error',
      comment: 'of a system, only its agent is a client',
      from: { path: '^systems/', pathNot: '^systems/[^/]+/agent/' },
      to: { path: '^client/' },
    },
    only('lib', ['^core/']),
    only('functions', ['^core/', '^systems/index\\.ts$']),
    only('local', ['^core/']),
    only('bin', ['^lib/', '^local/', '^systems/index\\.ts$', '^systems/[^/]+/agent/', '^core/']),
    only('scripts', ['^bin/', '^local/', '^core/', '^systems/index\\.ts$']),
    only('bench', ['^core/', '^functions/adapters/', '^systems/index\\.ts$', '^bin/', '^local/']),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^client/dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] },
  },
};
