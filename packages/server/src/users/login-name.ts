/**
 * The one form in which login names are compared: however it is typed, it is the same name.
 *
 * JavaScript has no case folding. Upper case takes `ß` to `SS` and `ς` to `Σ`, as folding does, and lower
 * case before it takes the letters that have only a capital along.
 */
export function foldLoginName(name: string): string {
  return name.normalize("NFKC").toLowerCase().toUpperCase().toLowerCase().normalize("NFKC").trim();
}
