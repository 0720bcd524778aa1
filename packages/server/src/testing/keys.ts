/** Keys beside an installation's first ones, made and deleted as the maintenance commands do it. */
import { ApiKeysService } from "../api-keys/service.ts";
import { AuditService } from "../audit/service.ts";
import { AuthnKeysService } from "../authn-keys/service.ts";
import { systemClock } from "../platform/clock.ts";
import { systemRandom } from "../platform/random.ts";
import { RevisionService } from "../revision/service.ts";
import type { TestInstallation } from "./installation.ts";

export function keysOf({ db, company, clock }: TestInstallation) {
  const random = systemRandom;
  const companyId = company.id;
  const audit = new AuditService({ db, companyId, clock, random });
  // The installation holds a lease that a command has to wait out, whatever the test's clock says.
  const revision = new RevisionService({ db, companyId, clock: systemClock, others: true });
  return {
    apiKeys: new ApiKeysService({ db, company, clock, random, audit, revision }),
    authnKeys: new AuthnKeysService({ db, companyId, clock, random, audit, revision }),
  };
}
