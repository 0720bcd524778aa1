/**
 * The main job, told and done: a user is locked out, an administrator enables an emergency code through the
 * vendor's API, the user signs in with it, and the record shows all of it.
 *
 * `npm run quickstart` stays up afterwards; `npm run quickstart -- --once` leaves.
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify, styleText } from "node:util";
import {
  type AuditEvent,
  type AuthenticationClient,
  createAuthenticationClient,
  createSparekeyClient,
  emergencyTokencodeCredential,
  parseKeyFile,
  readAloud,
  type SparekeyClient,
} from "@sparekey/sdk";
import { startThrowawayServer, type ThrowawayServer } from "./throwaway-server.ts";

const sparekeyCli = join(import.meta.dirname, "../packages/cli/src/main.ts");
const usersCsv = join(import.meta.dirname, "users.csv");

const bold = (text: string) => styleText("bold", text);
const dim = (text: string) => styleText("dim", text);
const yes = (text: string) => `${styleText("green", "✔")} ${text}`;
const no = (text: string) => `${styleText("yellow", "✘")} ${text}`;
const say = (...lines: string[]) => {
  for (const line of lines) console.log(`  ${line}`);
};
const step = (title: string) => console.log(`\n${bold(title)}`);

/** Ends the example with an error when the product does not do what is being told. */
function expect(holds: boolean, what: string) {
  if (!holds) throw new Error(`expected: ${what}`);
}

type Vendor = SparekeyClient["vendor"];

async function tellTheStory(server: ThrowawayServer): Promise<void> {
  const { vendor, audit } = createSparekeyClient({ keyFile: parseKeyFile(readFileSync(server.keyFile, "utf8")) });
  const clientKey = readFileSync(server.authnKeyFile, "utf8");
  const gateway = createAuthenticationClient({ serverUrl: server.url, clientKey });

  const userId = await lockOut(vendor, server);
  await signInOnce(vendor, gateway, userId);
  await signInForAWeek(vendor, gateway, userId);

  step("The record shows all of it");
  const { events } = await audit.events({ userId });
  for (const event of events) say(describe(event));
  expect(events.length >= 8, "the record holds every step");
}

async function lockOut(vendor: Vendor, server: ThrowawayServer): Promise<string> {
  step("Jane left her phone in a taxi, and her second factor with it");
  const importUsers = [sparekeyCli, "users", "import", usersCsv, "--key", server.keyFile];
  const { stdout } = await promisify(execFile)(process.execPath, importUsers);
  say(dim(`sparekey users import users.csv: ${stdout.trim().split("\n")[0]}`));
  const jane = await vendor.lookupUser({ email: "jane.doe@example.com" });
  say(`${jane.firstName} ${jane.lastName}: user ${jane.userStatus}, emergency access ${jane.emergencyAccessStatus}`);
  return jane.id;
}

async function signInOnce(vendor: Vendor, gateway: AuthenticationClient, userId: string): Promise<void> {
  step("The help desk enables an emergency code: once, and for two hours");
  const asked = { oneTimeUse: true, expiryUnit: "hours", expiryValue: 2 } as const;
  const { emergencyTokencode: code, expirationDate } = await vendor.enableEmergencyTokencode(userId, asked);
  say(dim(`PUT /AdminInterface/restapi/v2/users/${userId}/emergencyTokencode`));
  say(`${bold(code)}   until ${expirationDate}`, dim(readAloud(code)));

  step("Jane signs in to the VPN with it");
  const attempt = await gateway.attempts.initialize({ subjectName: "jane.doe", context: { messageId: "vpn-1" } });
  const { authnAttemptId, messageId } = attempt.context;
  const signedIn = await gateway.attempts.verify({
    context: { authnAttemptId, messageId: "vpn-2", inResponseTo: messageId },
    // As people type: lower case, spaces for hyphens.
    subjectCredentials: [emergencyTokencodeCredential(code.toLowerCase().replaceAll("-", " "))],
  });
  expect(signedIn.attemptResponseCode === "SUCCESS", "the right code is accepted");
  say(yes("the right code: accepted"));
  const again = await gateway.verify({ user: "jane.doe", code });
  expect(!again.accepted, "a one-time code is refused the second time");
  say(no("the same code again: refused, it was good for one sign-in"));
}

async function signInForAWeek(vendor: Vendor, gateway: AuthenticationClient, userId: string): Promise<void> {
  step("She needs one for the week, until the new phone is here");
  const week = await vendor.enableEmergencyTokencodeV1(userId, { expirationDays: 7 });
  const code = week.emergencyTokencode;
  say(`${bold(code)}   until ${week.expirationDate}`);
  const wrong = await gateway.verify({ user: "jane.doe", code: "0000-0000-000" });
  expect(!wrong.accepted, "a wrong code is refused");
  say(no("a wrong code: refused, one of ten tries"));
  const right = await gateway.verify({ user: "jane.doe", code });
  expect(right.accepted, "the right code is accepted");
  say(yes("the right code: accepted"));

  step("The new phone is here: the code is disabled");
  await vendor.disableEmergencyTokencode(userId, week.emergencyTokencodeId);
  const disabled = await gateway.verify({ user: "jane.doe", code });
  expect(!disabled.accepted, "a disabled code is refused");
  say(no("the disabled code: refused"));
}

function describe({ at, action, outcome, reason }: AuditEvent): string {
  const mark = outcome === "success" ? yes(action) : no(action);
  return `${dim(at.slice(11, 23))}  ${mark}${reason === null ? "" : dim(`  ${reason}`)}`;
}

async function inviteToTry(server: ThrowawayServer): Promise<void> {
  const { vendor } = createSparekeyClient({ keyFile: parseKeyFile(readFileSync(server.keyFile, "utf8")) });
  const omar = await vendor.lookupUser({ username: "omar.haddad" });
  const { emergencyTokencode } = await vendor.enableEmergencyTokencodeV1(omar.id, { expirationDays: 1 });
  step(`Sparekey is running at ${server.url}`);
  say("Omar has a code as well. Verify it from another terminal:", "");
  console.log(
    `curl -s ${server.url}/api/v1/verify -H "client-key: $(cat ${server.authnKeyFile})" -H 'content-type: application/json' -d '{"user":"omar.haddad","code":"${emergencyTokencode}"}'`,
  );
  say("", `Its API: ${server.url}/openapi.json`, "Ctrl-C stops it and removes its data.");
}

const server = await startThrowawayServer("Quickstart Company");
try {
  await tellTheStory(server);
  if (!process.argv.includes("--once")) {
    await inviteToTry(server);
    await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  }
} finally {
  await server.stop();
}
console.log(`\n${dim("Stopped. The throwaway company is gone.")}`);
