import { Settings, SettingsLint } from "@sparekey/contract";
import { deadlinesMs } from "../platform/http/overload.ts";
import type { Wire } from "../platform/http/wire.ts";
import { Refusal } from "../platform/refusal.ts";
import type { RouteAccess } from "../principal.ts";
import type { SettingsService } from "./service.ts";

const access: RouteAccess = { by: "administrator", permission: "sparekey.settings" };

/** Sparekey's own API: the company's settings. */
export function settingsRoutes(wire: Wire, settings: SettingsService) {
  wire.get(
    "/settings",
    {
      config: { access },
      schema: {
        summary: "Read the company's settings",
        description: "The answer's ETag is their version; send it as `If-Match` to change them.",
        tags: ["Settings"],
        response: { 200: Settings },
      },
    },
    async (_request, reply) => {
      const { version, settings: value } = await settings.latest();
      return reply.header("etag", etagOf(version)).send(value);
    },
  );

  wire.put(
    "/settings",
    {
      handlerTimeout: deadlinesMs.slow,
      config: { access },
      schema: {
        summary: "Replace the company's settings",
        description:
          "Needs `If-Match` with the ETag that was read, so that two administrators cannot overwrite each other.",
        tags: ["Settings"],
        body: Settings,
        response: { 200: Settings },
      },
    },
    async (request, reply) => {
      const version = versionOf(request.headers["if-match"]);
      const changed = await settings.replace(request.call, version, request.body);
      return reply.header("etag", etagOf(changed.version)).send(changed.settings);
    },
  );

  wire.get(
    "/settings/lint",
    {
      config: { access },
      schema: {
        summary: "Hold the settings against NIST, PCI DSS and ASVS",
        tags: ["Settings"],
        response: { 200: SettingsLint },
      },
    },
    async () => settings.lint(),
  );
}

function etagOf(version: number): string {
  return `"${version}"`;
}

/** The version in an `If-Match`; anything that is not one of our ETags can match nothing. */
function versionOf(ifMatch: string | undefined): number {
  if (ifMatch === undefined) throw new Refusal("precondition_required");
  const version = /^"(\d{1,15})"$/.exec(ifMatch)?.[1];
  if (version === undefined) throw new Refusal("settings_changed");
  return Number(version);
}
