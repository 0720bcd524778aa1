/**
 * Who may import whom, enforced: `npm run boundaries`.
 *
 * Each rule has one file or more in test/boundaries/fixture that breaks it, and a test that wants
 * to see it broken: a tool that has gone blind fails that test instead of passing everything.
 */

/** Paths are matched anywhere, so that the same rules hold in the fixture's tree. */
const inPackages = (path) => `(?:^|/)packages/${path}`;
const inServer = (path) => inPackages(`server/src/${path}`);

const tests = ["\\.test\\.ts$", "/testing/"];

// A feature is a folder of the server; these folders are not.
const feature = "((?!platform/|schema/|commands/|testing/)[^/]+)/";
// `http.ts`, or `vendor-http.ts` beside it in a feature that speaks two wires; likewise the others.
const layer = (names) => `.*\\b(?:${names})\\.ts$`;
const http = layer("http");
const pure = `(?!${layer("http|service|store|jobs")}).+\\.ts$`;
const sameFeature = inServer("$1/");

const forbidden = [
  {
    name: "no-circular",
    comment:
      "Modules that import each other cannot be read, tested or moved apart. Move what both need into a file " +
      "that neither imports back, or pass it as an argument.",
    from: {},
    to: { circular: true },
  },
  {
    name: "no-unresolved",
    comment:
      "An import that leads nowhere hides an edge from every other rule. Correct its path or install the package.",
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: "contract-imports-only-typebox",
    comment:
      "The contract is what every part agrees on, browsers included: schemas and tables, nothing that runs " +
      "on one side only. Put the code in the package that needs it.",
    from: { path: inPackages("contract/src/"), pathNot: tests },
    to: { pathNot: [inPackages("contract/src/"), "node_modules/typebox/"] },
  },
  {
    name: "sdk-imports-only-contract",
    comment: "The SDK is a client like any stranger's. What it shares with the server belongs in the contract.",
    from: { path: inPackages("sdk/") },
    to: { path: inPackages("(?:cli|server)/") },
  },
  {
    name: "cli-imports-only-sdk",
    comment:
      "The CLI talks HTTP through the SDK, so that whatever it can do a script can do too. Add the call to the " +
      "SDK, which also hands on the contract's types.",
    from: { path: inPackages("cli/") },
    to: { path: inPackages("(?:contract|server)/") },
  },
  {
    name: "server-imports-only-contract",
    comment:
      "The server must not lean on its own client. What both need belongs in the contract; a test that needs " +
      "both is a journey and lives in test/.",
    from: { path: inPackages("server/") },
    to: { path: inPackages("(?:sdk|cli)/") },
  },
  {
    name: "packages-meet-by-name",
    comment:
      "A relative path into another package reaches what it does not publish, and breaks once the packages are " +
      "installed from a registry. Import it by name (`@sparekey/…`), and export there what you need.",
    from: { path: inPackages("([^/]+)/") },
    to: {
      path: inPackages("[^/]+/"),
      pathNot: inPackages("$1/"),
      dependencyTypes: ["local"],
      dependencyTypesNot: ["aliased-workspace"],
    },
  },
  {
    name: "platform-knows-no-domain",
    comment:
      "platform/ is what any service would need: HTTP, database, clock, log. Make the piece generic and let the " +
      "feature pass in what is particular, or move it to the feature.",
    from: { path: inServer("platform/"), pathNot: tests },
    to: { path: inServer(""), pathNot: inServer("platform/") },
  },
  {
    name: "principal-imports-only-contract",
    comment: "principal.ts is vocabulary that every feature shares. Code with dependencies belongs in a feature.",
    from: { path: inServer("principal\\.ts$") },
    to: { pathNot: inPackages("contract/src/") },
  },
  {
    name: "schema-imports-only-platform",
    comment:
      "Tables and migrations say what is stored, and old migrations must keep their meaning whatever the features " +
      "become. Spell the stored form out here; translate it in the feature's store.ts.",
    from: { path: inServer("schema/"), pathNot: tests },
    to: { path: inServer(""), pathNot: inServer("(?:schema|platform)/") },
  },
  {
    name: "dependencies-point-inwards",
    comment:
      "main → app → features → platform: a feature does not know how the process is put together. Take what it " +
      "needs as an argument and let app.ts pass it.",
    from: { path: inServer(feature), pathNot: tests },
    to: { path: inServer("(?:(?:main|app|config)\\.ts$|commands/)") },
  },
  {
    name: "main-and-commands-are-outermost",
    comment:
      "main.ts and commands/ are how the process is started; nothing else starts it. What others need from " +
      "them belongs in app.ts, config.ts or a feature.",
    from: { path: inServer("[^/]+\\.ts$"), pathNot: [inServer("main\\.ts$"), ...tests] },
    to: { path: inServer("(?:main\\.ts$|commands/)") },
  },
  {
    name: "only-app-imports-http",
    comment:
      "Routes are an entrance, not a library. Move what you need into the feature's service.ts or a pure file " +
      "beside it.",
    from: { pathNot: [inServer("app\\.ts$"), ...tests] },
    to: { path: inServer(`${feature}${http}`) },
  },
  {
    name: "features-meet-at-service",
    comment:
      "A feature's service.ts is its only door. Import that, and offer there what is missing; another feature's " +
      "tables and inner files may change any day.",
    from: { path: inServer(feature), pathNot: tests },
    to: { path: inServer(feature), pathNot: [sameFeature, inServer("[^/]+/service\\.ts$"), inServer(`[^/]+/${http}`)] },
  },
  {
    name: "http-asks-the-service",
    comment:
      "http.ts translates between wire and domain and says who may call. Whatever decides or stores is asked of " +
      "service.ts.",
    from: { path: inServer(`${feature}${http}`) },
    to: { path: [inServer(`[^/]+/${layer("store|jobs")}`), inServer("(?:schema|platform/database)/")] },
  },
  {
    name: "service-knows-no-wire",
    comment:
      "A service is called from every wire, from jobs and from commands, so it takes and answers plain values. " +
      "Translate in http.ts; describe timed work in jobs.ts.",
    from: { path: inServer(`${feature}${layer("service")}`) },
    to: { path: [inServer(`[^/]+/${layer("jobs")}`), inServer("platform/http/"), "node_modules/@?fastify/"] },
  },
  {
    name: "jobs-ask-the-service",
    comment: "A job is a caller like any other: it says when, and service.ts says what. Add the work to service.ts.",
    from: { path: inServer(`${feature}${layer("jobs")}`) },
    to: { path: [inServer(`[^/]+/${layer("store")}`), inServer("(?:schema|platform/database|platform/http)/")] },
  },
  {
    name: "store-holds-only-sql",
    comment:
      "store.ts turns rows into values and back. It may use schema/, platform/ and the pure files beside it; a " +
      "decision, or another feature, belongs in service.ts.",
    from: { path: inServer(`${feature}${layer("store")}`) },
    to: { path: inServer(""), pathNot: [inServer("(?:schema|platform)/"), inServer(`$1/${pure}`)] },
  },
  {
    name: "only-stores-write-sql",
    comment:
      "All the SQL of a feature is in its store.ts, where it can be reviewed in one place. Move the query there.",
    from: {
      path: inServer(""),
      pathNot: [inServer(`${feature}${layer("store")}`), inServer("(?:schema|platform/database)/"), ...tests],
    },
    to: { path: "node_modules/kysely/" },
  },
  {
    name: "pure-files-stay-pure",
    comment:
      "What is not http, service, store or jobs is domain that can be read and tested alone: it imports contract, " +
      "principal.ts, node:*, pure files beside it, and libraries that only compute. Take the rest as arguments.",
    from: { path: inServer(`${feature}${pure}`), pathNot: tests },
    to: {
      pathNot: [
        inPackages("contract/src/"),
        inServer(`$1/${pure}`),
        inServer("platform/"),
        inServer("(?!$1/)[^/]+/service\\.ts$"),
        inServer("principal\\.ts$"),
        "node_modules/(?:canonicalize|jose|typebox)/",
      ],
      dependencyTypesNot: ["core"],
    },
  },
  {
    name: "pure-files-take-only-types",
    comment:
      "A pure file may name a type of platform/ or of another feature's service.ts, but not use their machinery. " +
      "clock.ts, random.ts and refusal.ts are open to it: an instant, bytes and a refusal are values.",
    from: { path: inServer(`${feature}${pure}`), pathNot: tests },
    to: {
      path: [inServer("platform/"), inServer("[^/]+/service\\.ts$")],
      pathNot: [inServer("platform/(?:clock|random|refusal)\\.ts$"), sameFeature],
      dependencyTypesNot: ["type-only"],
    },
  },
  {
    name: "environment-is-read-in-config",
    comment:
      "config.ts reads each variable once and reports all problems together. Add the item there and take its " +
      "value as an argument.",
    from: { path: inServer(""), pathNot: [inServer("(?:(?:config|main)\\.ts$|commands/)"), ...tests] },
    to: { path: "^(?:node:)?process$" },
  },
  {
    name: "no-drawers",
    comment:
      "utils, helpers, common, misc and types.ts are drawers that everything ends up in. Name the file after the " +
      "one thing that it holds.",
    from: {},
    to: {
      path: "/(?:utils?|helpers?|common|misc|types)(?:\\.ts$|/)",
      dependencyTypes: ["local", "localmodule"],
      pathNot: "node_modules/",
    },
  },
  {
    name: "tests-are-not-imported",
    comment:
      "What ships must not depend on what tests it. Move what both need into a file of its own. The bench does not " +
      "ship, and measures what tests start.",
    from: { pathNot: [...tests, "(?:^|/)test/(?!boundaries/fixture/)", "^bench/"] },
    to: { path: tests },
  },
];

export default {
  forbidden: forbidden.map((rule) => ({ severity: "error", ...rule })),
  options: {
    doNotFollow: { path: "node_modules" },
    // What `npm run build` made is not ours to judge.
    exclude: { path: "^packages/[^/]+/dist/" },
    // Types are dependencies too: an import that vanishes at run time still ties two files together.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".js", ".mjs", ".json", ".d.ts"],
    },
  },
};
