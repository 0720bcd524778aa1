/** Keys beside an installation's first ones, made and deleted as the maintenance commands do it. */
import { ApiKeysService } from "../api-keys/service.ts";
import { AuditService } from "../audit/service.ts";
import { AuthnKeysService } from "../authn-keys/service.ts";
import { systemRandom } from "../platform/random.ts";
import type { TestInstallation } from "./installation.ts";

export function keysOf({ db, company, clock }: TestInstallation) {
  const random = systemRandom;
  const companyId = company.id;
  const audit = new AuditService({ db, companyId, clock, random });
  return {
    apiKeys: new ApiKeysService({ db, company, clock, random, audit }),
    authnKeys: new AuthnKeysService({ db, companyId, clock, random, audit }),
  };
}
