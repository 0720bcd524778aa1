/** The one form in which login names are compared: however it is typed, it is the same name. */
export function foldLoginName(name: string): string {
  return name.trim().normalize("NFKC").toLowerCase().normalize("NFKC");
}
