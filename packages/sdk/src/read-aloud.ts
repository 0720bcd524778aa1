/** How an emergency code is written for the eye and spoken over the phone. Pure. */

const longestGroup = 4;

const digitWords = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

const letterWords: Record<string, string> = {
  A: "Alfa",
  B: "Bravo",
  C: "Charlie",
  D: "Delta",
  E: "Echo",
  F: "Foxtrot",
  G: "Golf",
  H: "Hotel",
  I: "India",
  J: "Juliett",
  K: "Kilo",
  L: "Lima",
  M: "Mike",
  N: "November",
  O: "Oscar",
  P: "Papa",
  Q: "Quebec",
  R: "Romeo",
  S: "Sierra",
  T: "Tango",
  U: "Uniform",
  V: "Victor",
  W: "Whiskey",
  X: "X-ray",
  Y: "Yankee",
  Z: "Zulu",
};

/**
 * Writes a code in upper case and in groups of three or four symbols, the longer ones first: `7K3M-9QZX-4TP`.
 * A code that is already in groups keeps them; without spaces and hyphens it is the same code.
 */
export function groupCode(code: string): string {
  const given = splitGroups(code);
  const [symbols] = given;
  if (symbols === undefined || given.length > 1) return given.join("-");
  const groupCount = Math.ceil(symbols.length / longestGroup);
  const groups: string[] = [];
  for (let start = 0, left = groupCount; left > 0; left -= 1) {
    const end = start + Math.ceil((symbols.length - start) / left);
    groups.push(symbols.slice(start, end));
    start = end;
  }
  return groups.join("-");
}

/**
 * A code as one reads it to a caller, letters in the NATO alphabet and digits in English, a comma where a group ends:
 * `7K3M-9QZX-4TP` is `seven · Kilo · three · Mike, nine · Quebec · Zulu · X-ray, four · Tango · Papa`.
 */
export function readAloud(code: string): string {
  const groups = splitGroups(groupCode(code));
  return groups.map((group) => [...group].map(symbolWord).join(" · ")).join(", ");
}

function splitGroups(code: string): string[] {
  return code
    .toUpperCase()
    .split(/[\s-]+/)
    .filter((group) => group !== "");
}

function symbolWord(symbol: string): string {
  return digitWords[Number(symbol)] ?? letterWords[symbol] ?? symbol;
}
