/** Databases with their two roles, made and removed over SQL: on a server of ours or on any other. */
import { randomBytes } from "node:crypto";
import { Client, type QueryResultRow } from "pg";

/** A database, its owner and the role that the application runs as. Names are the same at every server that has it. */
export interface TestDatabase {
  name: string;
  /** Owns the database, and so its schema `public`. */
  ownerUrl: string;
  /** May connect and see how replication stands. What else it may is for the owner to grant. */
  appUrl: string;
  superuserUrl: string;
  /** Removes the database with its clones, open connections or not, and the roles. */
  drop(): Promise<void>;
}

/** Half the time of the other strategy, on a server that does not wait for its disk. */
const quickly = "STRATEGY file_copy";

interface Login {
  role: string;
  password: string;
}

/** One statement on a connection of its own. */
export async function query<Row extends QueryResultRow>(url: string, sql: string, values: unknown[] = []) {
  const client = await connect(url);
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

/** A connection whose loss is reported by its next query and by nothing else. */
export async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000, query_timeout: 30_000 });
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** Needs a name that is an identifier as it stands, in small letters. */
export async function createDatabase(superuserUrl: string, name = freshName()): Promise<TestDatabase> {
  const owner = { role: `${name}_owner`, password: freshPassword() };
  const app = { role: `${name}_app`, password: freshPassword() };
  const server = await connect(superuserUrl);
  try {
    await server.query(`CREATE ROLE ${owner.role} LOGIN PASSWORD '${owner.password}';
      CREATE ROLE ${app.role} LOGIN PASSWORD '${app.password}' IN ROLE pg_read_all_stats`);
    await server.query(`CREATE DATABASE ${name} OWNER ${owner.role} TEMPLATE template0 ${quickly}`);
    await server.query(mayConnect(name, app.role));
  } finally {
    await server.end();
  }
  const made = databaseAt(superuserUrl, name, owner, app);
  await query(made.superuserUrl, "REVOKE CREATE ON SCHEMA public FROM PUBLIC");
  return made;
}

/** A copy with the same roles. Nobody may be connected to the template; who is about to leave is waited for. */
export async function cloneDatabase(superuserUrl: string, template: TestDatabase): Promise<TestDatabase> {
  const name = freshName();
  const [owner, app] = [loginIn(template.ownerUrl), loginIn(template.appUrl)];
  const server = await connect(superuserUrl);
  try {
    await server.query(`CREATE DATABASE ${name} OWNER ${owner.role} TEMPLATE ${template.name} ${quickly}`);
    await server.query(mayConnect(name, app.role));
  } finally {
    await server.end();
  }
  return databaseAt(superuserUrl, name, owner, app);
}

/** The same database as another server holds it: a standby, or the primary after a failover. */
export function sameDatabaseAt(superuserUrl: string, { name, ownerUrl, appUrl }: TestDatabase): TestDatabase {
  return databaseAt(superuserUrl, name, loginIn(ownerUrl), loginIn(appUrl));
}

function databaseAt(superuserUrl: string, name: string, owner: Login, app: Login): TestDatabase {
  return {
    name,
    ownerUrl: urlOf(superuserUrl, name, owner),
    appUrl: urlOf(superuserUrl, name, app),
    superuserUrl: urlOf(superuserUrl, name),
    drop: () => drop(superuserUrl, name, owner, app),
  };
}

async function drop(superuserUrl: string, name: string, owner: Login, app: Login): Promise<void> {
  const server = await connect(superuserUrl);
  try {
    const isClone = owner.role !== `${name}_owner`;
    const sql = "SELECT datname FROM pg_database JOIN pg_roles r ON r.oid = datdba WHERE rolname = $1";
    const owned = isClone ? [] : (await server.query<{ datname: string }>(sql, [owner.role])).rows;
    for (const database of new Set([name, ...owned.map(({ datname }) => datname)])) {
      await server.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
    }
    if (!isClone) await server.query(`DROP ROLE IF EXISTS ${owner.role}, ${app.role}`);
  } finally {
    await server.end();
  }
}

/** A template hands its contents on, and none of this. */
function mayConnect(database: string, role: string): string {
  return `REVOKE ALL ON DATABASE ${database} FROM PUBLIC; GRANT CONNECT ON DATABASE ${database} TO ${role}`;
}

function urlOf(superuserUrl: string, database: string, login?: Login): string {
  const url = new URL(superuserUrl);
  url.pathname = database;
  if (login !== undefined) Object.assign(url, { username: login.role, password: login.password });
  return url.href;
}

function loginIn(url: string): Login {
  const { username, password } = new URL(url);
  return { role: username, password };
}

function freshName(): string {
  return `test_${randomBytes(6).toString("hex")}`;
}

function freshPassword(): string {
  return randomBytes(12).toString("hex");
}
