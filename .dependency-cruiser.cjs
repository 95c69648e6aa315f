/** Arrows point one way: bin → lib, local; lib → core/names; functions → adapters → core; core → nothing. */
const only = (from, to, except = '$^') => ({
  name: `${from}-arrows`,
  severity: 'error',
  comment: `${from}/ may import only what docs/architecture.md draws`,
  from: { path: `^${from}/` },
  to: { path: '^(bin|lib|core|functions|local|web|bench|test)/', pathNot: [`^${from}/`, ...to, except] },
});
module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'sdk-in-adapters',
      severity: 'error',
      comment: 'functions/adapters/ is the only importer of the SDK',
      from: { path: '^(core|lib|functions)/', pathNot: '^functions/adapters/' },
      to: { path: 'node_modules/@aws-sdk/' },
    },
    {
      name: 'core-is-pure',
      severity: 'error',
      from: { path: '^core/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'core'], pathNot: 'node_modules/valibot/' },
    },
    {
      name: 'handlers-on-top',
      severity: 'error',
      from: { path: '^functions/(adapters|middleware)/' },
      to: { path: '^functions/[^/]+\\.ts$' },
    },
    only('core', []),
    only('lib', ['^core/names\\.ts$']),
    only('functions', ['^core/']),
    only('local', ['^core/']),
    only('bin', ['^lib/', '^local/', '^core/']),
    only('bench', ['^core/', '^functions/adapters/', '^bin/', '^local/']),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] },
  },
};
