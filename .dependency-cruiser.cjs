/**
 * Rules about who may import whom that need the whole graph: what a file reaches through others, and cycles.
 * (Who may import which room directly, types included, stands in `.oxlintrc.json`.)
 *
 * Runs over the compiled `dist/`: dependency-cruiser does not read TypeScript 7, and in compiled files type-only
 * imports are gone, so that exactly what is loaded at run time is judged.
 */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle loads half a module.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'workflows-use-two-packages',
      comment: 'Everything a workflow imports lands in its bundle, once per cached run.',
      severity: 'error',
      from: { path: '^dist/workflows/' },
      to: { dependencyTypesNot: ['local'], pathNot: 'node_modules/@temporalio/(workflow|common)/' },
    },
    {
      name: 'workflows-reach-no-package-through-domain',
      comment:
        'zod or libphonenumber inside the bundle has killed workers: a domain file with a package is not for workflows.',
      severity: 'error',
      from: { path: '^dist/workflows/' },
      to: {
        reachable: true,
        path: 'node_modules|^(node:)?(crypto|fs|net|http|https|os|path|util|stream|timers|child_process)$',
        pathNot: 'node_modules/(@temporalio|ms|long|protobufjs|@protobufjs|nexus-rpc|proto3-json-serializer)/',
      },
    },
    {
      name: 'workflows-load-no-activity',
      comment: 'Activities are I/O: workflows know their types only.',
      severity: 'error',
      from: { path: '^dist/workflows/' },
      to: {
        reachable: true,
        path: '^dist/(activities|db|vault|providers|temporal|config|api|workers|simulator|scripts)/',
      },
    },
    {
      name: 'domain-has-no-barrel',
      comment: 'An index file would pull every package of domain/ into the workflow bundle.',
      severity: 'error',
      from: {},
      to: { path: '^dist/domain/index\\.js$' },
    },
    {
      name: 'nothing-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/test/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['node', 'require', 'import', 'default'] },
  },
};
