/** The composition root: every part is made here, by hand, in the order in which it needs the others. */
import { guardRoutes } from "./access/http.ts";
import { AccessService } from "./access/service.ts";
import { ApiKeysService } from "./api-keys/service.ts";
import { auditRoutes } from "./audit/http.ts";
import { AuditService } from "./audit/service.ts";
import { vendorAuthenticationRoutes, verifyRoutes } from "./authentication/http.ts";
import { removeExpiredAttempts } from "./authentication/jobs.ts";
import { AuthenticationService } from "./authentication/service.ts";
import { AuthnKeysService } from "./authn-keys/service.ts";
import { emergencyCodeRoutes } from "./emergency-codes/http.ts";
import { EmergencyCodesService, mirrorUserIn } from "./emergency-codes/service.ts";
import { vendorEmergencyCodeRoutes } from "./emergency-codes/vendor-http.ts";
import { healthRoutes } from "./health/http.ts";
import { HealthService } from "./health/service.ts";
import { acceptIdempotencyKeys } from "./idempotency/http.ts";
import { removeExpiredAnswers } from "./idempotency/jobs.ts";
import { IdempotencyService } from "./idempotency/service.ts";
import type { Company } from "./installation/service.ts";
import { lookForRootKey } from "./keyring/jobs.ts";
import type { Keyring, KeyringService } from "./keyring/service.ts";
import { describeRoutes, openApiRoute } from "./openapi.ts";
import type { Clock } from "./platform/clock.ts";
import type { Database } from "./platform/database/database.ts";
import { problemShape, vendorShape } from "./platform/http/error-shapes.ts";
import { boundRequests } from "./platform/http/overload.ts";
import { createHttpServer, observeRequests } from "./platform/http/server.ts";
import type { ErrorShape, Wire } from "./platform/http/wire.ts";
import { addWire, answerErrorsAs, answerWith } from "./platform/http/wire-errors.ts";
import type { Job } from "./platform/jobs.ts";
import type { Log } from "./platform/log.ts";
import { createMetrics, type Metrics } from "./platform/metrics.ts";
import type { Random } from "./platform/random.ts";
import { Readiness } from "./platform/readiness.ts";
import type { RevisionService } from "./revision/service.ts";
import { keepRecordMark } from "./rollback/jobs.ts";
import type { RollbackWatch } from "./rollback/service.ts";
import type { Tables } from "./schema/tables.ts";
import { settingsRoutes } from "./settings/http.ts";
import { SettingsService } from "./settings/service.ts";
import { userRoutes } from "./users/http.ts";
import { UsersService } from "./users/service.ts";
import { vendorUserRoutes } from "./users/vendor-http.ts";
import { version } from "./version.ts";

export interface AppOptions {
  db: Database<Tables>;
  company: Company;
  revision: RevisionService;
  keyring: KeyringService;
  clock: Clock;
  random: Random;
  log: Log;
  tls?: { cert: string; key: string } | undefined;
  trustedProxies?: readonly string[];
  metricsToken?: string | undefined;
  isStopping?: () => boolean;
  /** What has to hold for this node to answer at all. */
  readiness?: Readiness;
  /** Absent where nothing keeps a mark, as in most tests. */
  rollback?: RollbackWatch;
}

export interface App {
  http: Wire;
  jobs: Job[];
  audit: AuditService;
}

/** What the services need of it; keys may come from anywhere. */
type ServiceOptions = Pick<AppOptions, "db" | "company" | "revision" | "clock" | "random"> & { keyring: Keyring };

/** What the service does, before any wire: every feature, in the order in which each needs the others. */
export function createServices({ db, company, revision, keyring, clock, random }: ServiceOptions, metrics?: Metrics) {
  const companyId = company.id;
  const audit = new AuditService({ db, companyId, clock, random, ...(metrics && { onRecord: metrics.event }) });
  const settings = new SettingsService({ db, companyId, clock, audit, revision });
  const onUser = mirrorUserIn(companyId);
  const users = new UsersService({ db, companyId, clock, random, audit, settings, onChange: onUser });
  const idempotency = new IdempotencyService({ db, companyId, clock, random, keyring });
  const codes = new EmergencyCodesService({
    ...{ db, companyId, clock, random, keyring, audit, settings, revision, users, idempotency },
  });
  const authentication = new AuthenticationService({ db, companyId, clock, random, keyring, codes, settings });
  return { audit, revision, settings, users, idempotency, codes, authentication };
}

export async function createApp(options: AppOptions): Promise<App> {
  const { db, company, clock, random, log, rollback } = options;
  const metrics = createMetrics();
  const services = createServices(options, metrics);
  const { audit, revision, settings, users, idempotency, codes, authentication } = services;
  const apiKeys = new ApiKeysService({ db, company, clock, random, audit, revision });
  const authnKeys = new AuthnKeysService({ db, companyId: company.id, clock, random, audit, revision });
  const { readiness = new Readiness() } = options;
  if (rollback !== undefined) readiness.add("rollback", () => rollback.problem());
  const { isStopping = () => false, metricsToken } = options;
  const access = new AccessService({ apiKeys, authnKeys, audit, settings, readiness, metricsToken });

  const http = createHttpServer({
    log,
    newRequestId: () => random.uuid(),
    trustedProxies: options.trustedProxies ?? [],
    tls: options.tls,
    isStopping,
    answerError: (error, request, reply) => answerWith(shapeAt(request.url), clock)(error, request, reply),
  });
  const load = boundRequests(http, log, metrics.refused);
  const health = new HealthService({ db, keyring: options.keyring, readiness, isStopping, isFull: load.isFull });
  metrics.watch({
    inFlight: load.inFlight,
    database: () => db.load(),
    leaseAgeMs: () => revision.ageMs(),
    notReady: async () => (await health.problem())?.reason,
  });
  answerErrorsAs(http, problemShape, clock);
  observeRequests(http, metrics);
  await describeRoutes(http, company.publicUrl, version);
  guardRoutes(http, access);
  acceptIdempotencyKeys(http);
  const addRoutes = (prefix: string, shape: ErrorShape, routes: (wire: Wire) => void) =>
    addWire(http, { prefix, shape, clock }, routes);

  await addRoutes("/AdminInterface/restapi", vendorShape, (wire) => {
    vendorEmergencyCodeRoutes(wire, codes);
    vendorUserRoutes(wire, users, codes);
  });
  await addRoutes("/mfa/v1_1", vendorShape, (wire) => vendorAuthenticationRoutes(wire, authentication));
  await addRoutes("/api/v1", problemShape, (wire) => {
    verifyRoutes(wire, codes);
    userRoutes(wire, users);
    emergencyCodeRoutes(wire, codes);
    settingsRoutes(wire, settings);
    auditRoutes(wire, audit);
  });
  await addRoutes("/", problemShape, (wire) => {
    healthRoutes(wire, health, metrics);
    openApiRoute(wire);
  });
  await http.ready();

  const jobs = [removeExpiredAttempts(authentication), removeExpiredAnswers(idempotency)];
  const marks = rollback === undefined ? [] : [keepRecordMark(rollback)];
  return { http, audit, jobs: [...jobs, lookForRootKey(options.keyring), ...marks] };
}

/** The shape of the wire that a URL belongs to, where no route was found that would know. */
function shapeAt(url: string): ErrorShape {
  return /^\/(AdminInterface\/restapi|mfa\/v1_1)\//.test(url) ? vendorShape : problemShape;
}
