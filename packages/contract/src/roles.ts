/** The roles of the vendor's administrators, in the vendor's words. */
export const roles = ["Super Administrator", "Help Desk Administrator"] as const;

/** What an administrator may do follows from the role; the server's table of routes says how. */
export type Role = (typeof roles)[number];
