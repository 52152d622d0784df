// Who may import whom (docs/architecture.md). Every rule says what to do when it fires.
const source = '^(cli|producers|workers|shared)/';
const tracers = '^(shared/telemetry/(open-telemetry|span-export)|shared/queue/job-traces|producers/web/traces)\\.ts$';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Move what both need into a third file, or pass it in.',
      severity: 'error',
      from: {},
      to: { circular: true, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-orphans',
      comment: 'No entry reaches this file: call it, or delete it.',
      severity: 'error',
      from: { orphan: true, path: source, pathNot: '\\.(test|d)\\.ts$' },
      to: {},
    },
    {
      name: 'producers-and-workers-stay-apart',
      comment: 'Put the shared part into the domain folder of shared/ that it belongs to.',
      severity: 'error',
      from: { path: '^(producers|workers)/' },
      to: { path: '^(producers|workers|cli)/', pathNot: '^$1/' },
    },
    {
      name: 'shared-knows-no-role',
      comment: 'shared/ serves both roles: pass in what it needs of them.',
      severity: 'error',
      from: { path: '^shared/' },
      to: { path: '^(producers|workers|cli|console)/' },
    },
    {
      name: 'only-up-web-worker-start-roles',
      comment: 'The command line asks shared/; only cli/up.ts, web.ts and worker.ts start processes, by main.ts.',
      severity: 'error',
      from: { path: '^cli/', pathNot: '^cli/(up|web|worker|reach/(subscriptions|imports|doctor))\\.ts$' },
      to: { path: '^(producers|workers)/' },
    },
    {
      name: 'roles-are-started-by-main',
      comment: 'Start a role by its main.ts, or producers/pull.ts; ask for subscriptions and imports by their files.',
      severity: 'error',
      from: { path: '^cli/' },
      to: {
        path: '^(producers|workers)/',
        pathNot: '^(producers|workers)/main\\.ts$|^producers/(pull|subscriptions|import)\\.ts$',
      },
    },
    {
      name: 'lifecycle-is-pure',
      comment: 'The heart reads no clock and does no I/O: the caller reads the value and passes it in.',
      severity: 'error',
      from: { path: '^shared/lifecycle/', pathNot: '\\.(test|d)\\.ts$' },
      to: { pathNot: '^shared/(lifecycle/|errors\\.ts$)' },
    },
    {
      name: 'verify-and-normalize-are-pure',
      comment: 'Bytes in, verdict or events out. What needs I/O belongs into the source’s other files.',
      severity: 'error',
      from: { path: '^producers/[^/]+/(verify|normalize|schema)\\.ts$' },
      to: { path: '^shared/(store|queue|sendgrid|directory|telemetry)/' },
    },
    {
      name: 'sources-stay-apart',
      comment: 'Move the common part to producers/source.ts, or copy ten lines.',
      severity: 'error',
      from: { path: '^producers/(?!web/)([^/]+)/' },
      to: { path: '^producers/(?!web/)[^/]+/', pathNot: '^producers/$1/' },
    },
    {
      name: 'sources-are-asked-by-the-list',
      comment: 'Ask producers/sources.ts or shared/directory/directories.ts.',
      severity: 'error',
      from: {
        path: source,
        pathNot:
          '(^producers/sources\\.ts|^shared/directory/directories\\.ts|\\.test\\.ts)$|^producers/(?!web/)[^/]+/|^shared/directory/[^/]+/',
      },
      to: { path: '^(producers/(?!web/)|shared/directory/)[^/]+/' },
    },
    {
      name: 'sendgrid-is-written-by-actions',
      comment: 'Express the wish as an action: workers/actions is the only place that changes SendGrid.',
      severity: 'error',
      from: { path: source, pathNot: '^(shared/sendgrid/|workers/actions/)|\\.test\\.ts$' },
      to: { path: '^shared/sendgrid/(teammates|invitations|access-requests|belongings/.*)\\.ts$' },
    },
    {
      name: 'sql-lives-in-the-store',
      comment: 'Call a function of shared/store or shared/audit; add one if the effect is new.',
      severity: 'error',
      from: {
        path: source,
        pathNot: '^shared/(store|audit|queue|sendgrid)/|^producers/web/ops\\.ts$|\\.test\\.ts$',
      },
      to: { path: '^node_modules/(kysely|pg)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'open-telemetry-is-loaded-when-on',
      comment: 'Say it by shared/telemetry/trace.ts; load what needs the SDK by `await import` once traces are on.',
      severity: 'error',
      from: { path: source, pathNot: `${tracers}|\\.test\\.ts$` },
      to: {
        path: `${tracers}|^node_modules/(@opentelemetry/(?!api/)|@fastify/otel|bullmq-otel)`,
        dynamic: false,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'tests-stay-in-tests',
      comment: 'Production code needs no test code; move it to shared/ if it is none.',
      severity: 'error',
      from: { path: source, pathNot: '\\.(test|d)\\.ts$' },
      to: { path: '^(test|bench)/|\\.test\\.ts$' },
    },
    {
      name: 'tests-import-no-tests',
      comment: 'Move it to test/support.',
      severity: 'error',
      from: {},
      to: { path: '\\.test\\.ts$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      conditionNames: ['sendoff-source', 'import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
    },
  },
};
