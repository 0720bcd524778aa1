/** Every route that the API document lists, with what it demands. */
import type { Answer, TestInstallation } from "./installation.ts";

export interface ListedRoute {
  method: string;
  /** With `{userId}` and the like. */
  path: string;
  by: "administrator" | "authenticationClient" | "nobody in particular";
}

export async function listRoutes({ call }: Pick<TestInstallation, "call">): Promise<ListedRoute[]> {
  const { paths } = (await call("GET", "/openapi.json")).body as {
    paths: Record<string, Record<string, { security: Record<string, string[]>[] }>>;
  };
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { security }]) => {
      const [by = "nobody in particular"] = security.flatMap((one) => Object.keys(one));
      return { method: method.toUpperCase(), path, by: by as ListedRoute["by"] };
    }),
  );
}

/** Those that nobody may call without a credential. */
export const isGuarded = ({ by }: ListedRoute) => by !== "nobody in particular";

/** The route's path with an id that nobody has. */
export function concretePath({ path }: ListedRoute): string {
  return path.replace(/\{\w+\}/g, "00000000-0000-4000-8000-000000000000");
}

/** Calls a route with a body that it refuses, if it looks at it at all. */
export function callRoute(
  { call }: TestInstallation,
  route: ListedRoute,
  headers: Record<string, string>,
): Promise<Answer> {
  const body = ["GET", "DELETE"].includes(route.method) ? {} : { body: { strange: true } };
  return call(route.method, concretePath(route), { ...body, headers });
}
