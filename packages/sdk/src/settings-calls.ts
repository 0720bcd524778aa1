import type { Settings, SettingsLint } from "@sparekey/contract";
import { SparekeyError } from "./errors.ts";
import type { ServerUrls } from "./server-urls.ts";
import type { Answer, Send } from "./transport.ts";

/** The settings, and the mark that tells the server which ones a change was made to. */
export interface VersionedSettings {
  settings: Settings;
  /** Opaque; hand it to `put`. */
  etag: string;
  /** The number in the etag, for people; undefined if there is none. */
  version: number | undefined;
}

/** The company's settings; they need a Super Administrator's key. */
export interface SettingsCalls {
  get(): Promise<VersionedSettings>;
  /**
   * Replaces all settings, if they are still those of `etag`.
   * @throws SparekeyError `settings_changed` when someone was faster: get them and change them again
   */
  put(settings: Settings, etag: string): Promise<VersionedSettings>;
  /** Which clauses of which standards the settings break. */
  lint(): Promise<SettingsLint>;
}

export function createSettingsCalls(send: Send, urls: ServerUrls): SettingsCalls {
  const url = `${urls.own}/settings`;
  return {
    async get() {
      return withVersion(await send<Settings>({ method: "GET", url }));
    },
    async put(settings, etag) {
      return withVersion(await send<Settings>({ method: "PUT", url, headers: { "if-match": etag }, body: settings }));
    },
    async lint() {
      return (await send<SettingsLint>({ method: "GET", url: `${url}/lint` })).body;
    },
  };
}

function withVersion({ status, headers, body }: Answer<Settings>): VersionedSettings {
  // A proxy that compresses marks the etag as weak, and If-Match never matches a weak one.
  const etag = headers.get("etag")?.replace(/^W\//, "");
  if (!etag)
    throw new SparekeyError("unknown", { status, detail: "the answer has no ETag; a proxy may have removed it" });
  const number = /^"(\d+)"$/.exec(etag)?.[1];
  return { settings: body, etag, version: number === undefined ? undefined : Number(number) };
}
