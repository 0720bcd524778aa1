/** What the process says to the shell. Permanent: scripts switch over these numbers. */
export const exitCodes = {
  ok: { number: 0, meaning: "done" },
  refused: { number: 1, meaning: "the answer is no: code not accepted, rows refused, findings in the settings" },
  usage: { number: 2, meaning: "the command, a file or a value is not right; nothing was changed" },
  unreachable: { number: 3, meaning: "no answer from the server" },
  credentials: { number: 4, meaning: "the key was refused, or may not do this" },
  notFound: { number: 5, meaning: "no such user" },
  conflict: { number: 6, meaning: "the state does not allow it: user disabled, settings changed meanwhile" },
  busy: { number: 7, meaning: "the server is busy; try again later" },
  failed: { number: 8, meaning: "the server failed, or answered what this version cannot read" },
  interrupted: { number: 130, meaning: "interrupted at the prompt" },
} as const;

export type Exit = keyof typeof exitCodes;

/** The table as it stands in `--help`. */
export function exitCodesHelp(): string {
  const rows = Object.values(exitCodes).map(({ number, meaning }) => `  ${String(number).padEnd(5)}${meaning}`);
  return `\nExit codes:\n${rows.join("\n")}`;
}
