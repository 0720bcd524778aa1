/** Bodies made from the schemas in the API document, so that a route that is added later is tried as well. */

/** As much of a JSON Schema as the document uses. */
export interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  oneOf?: { required?: string[] }[];
}

/** Where a text may stand in a body. */
export type Place = (string | number)[];

/** A body with everything in it, and the places of every text. */
export function exampleOf(schema: Schema): { example: unknown; texts: Place[] } {
  const texts: Place[] = [];
  const build = (one: Schema, place: Place): unknown => {
    if (one.anyOf !== undefined) return build(textIn(one.anyOf), place);
    if (one.const !== undefined) return one.const;
    if (one.enum !== undefined || one.type === "string") {
      texts.push(place);
      return one.enum?.[0] ?? "1";
    }
    if (one.type === "array") return [build(one.items ?? {}, [...place, 0])];
    if (one.type === "boolean") return true;
    if (one.type === "integer") return one.minimum ?? 1;
    if (one.type === "object") {
      const entries = Object.entries(one.properties ?? {});
      return Object.fromEntries(entries.map(([name, value]) => [name, build(value, [...place, name])]));
    }
    texts.push(place);
    return "1";
  };
  return { example: build(schema, []), texts };
}

/** The same body with another value at one place; `undefined` leaves it out. */
export function withValueAt(body: unknown, [name, ...rest]: Place, value: unknown): unknown {
  if (name === undefined) return value;
  const copy = (Array.isArray(body) ? [...body] : { ...(body as object) }) as Record<string | number, unknown>;
  copy[name] = withValueAt(copy[name], rest, value);
  return copy;
}

/** Of several, the one that takes a text. */
function textIn(schemas: Schema[]): Schema {
  const text = schemas.find(({ type, enum: values }) => type === "string" || values !== undefined);
  return text ?? schemas.find(({ type }) => type === "object") ?? (schemas[0] as Schema);
}
