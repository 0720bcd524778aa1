import assert from "node:assert/strict";
import { test } from "node:test";
import { type FakeRequest, problem } from "../testing/fake-server.ts";
import { openBench } from "../testing/run-cli.ts";

const route = "POST /api/v1/users";

interface Row {
  username: string;
}

/** Refuses those called `taken…`, creates the rest. */
function upsert({ body }: FakeRequest) {
  const results = (body as Row[]).map(({ username }, index) =>
    username.startsWith("taken")
      ? {
          row: index + 1,
          username,
          outcome: "refused",
          code: "login_name_taken",
          detail: `The login name ${username} already belongs to another user.`,
        }
      : { row: index + 1, username, outcome: "created" },
  );
  const refused = results.filter(({ outcome }) => outcome === "refused").length;
  return { body: { created: results.length - refused, updated: 0, unchanged: 0, refused, results } };
}

test("every column reaches the server, and a file without refusals is 0", async () => {
  await using bench = await openBench({ [route]: upsert });
  bench.write(
    "users.csv",
    "\uFEFFusername,email,firstName,lastName,status,managerEmail,groups,alternateUsername\r\n" +
      'jdoe,jane@example.com,"Jane ""JD""",Doe,Disabled,boss@example.com,Admins; Sales ;Admins,jane\r\n' +
      "\r\n" +
      "mmm,m@example.com,M,M,,,,\r\n",
  );
  const run = await bench.run(["users", "import", "users.csv"]);
  assert.deepEqual(run, { stdout: "2 created, 0 updated, 0 unchanged, 0 refused\n", stderr: "", exitCode: 0 });
  assert.deepEqual(bench.server.requests[0]?.body, [
    {
      username: "jdoe",
      email: "jane@example.com",
      firstName: 'Jane "JD"',
      lastName: "Doe",
      status: "disabled",
      alternateUsername: "jane",
      managerEmail: "boss@example.com",
      groups: ["Admins", "Sales"],
    },
    {
      username: "mmm",
      email: "m@example.com",
      firstName: "M",
      lastName: "M",
      alternateUsername: null,
      managerEmail: null,
      groups: [],
    },
  ]);
});

test("refused rows are listed by line with the reason, the others are done, and the exit code is 1", async () => {
  await using bench = await openBench({ [route]: upsert });
  bench.write(
    "users.csv",
    'username,email,firstName,lastName,status\na,a@example.com,"A\nB",A,\ntaken1,t@example.com,T,T,\n,x@example.com,X,X,\nb,b@example.com,B,B,maybe\n',
  );
  const run = await bench.run(["users", "import", "users.csv"]);
  assert.equal(
    run.stdout,
    `1 created, 0 updated, 0 unchanged, 3 refused
  line 4: taken1: the login name taken1 already belongs to another user
  line 5: username is empty
  line 6: b: status is neither enabled nor disabled
`,
  );
  assert.equal(run.exitCode, 1);
  const json = await bench.run(["users", "import", "users.csv", "--json"]);
  assert.deepEqual(JSON.parse(json.stdout).refusedRows[0], {
    line: 4,
    username: "taken1",
    code: "login_name_taken",
    detail: "The login name taken1 already belongs to another user.",
  });
});

test("2,500 rows go in batches of a thousand at most", async () => {
  await using bench = await openBench({ [route]: upsert });
  const rows = Array.from({ length: 2_500 }, (_, index) => `user${index},u${index}@example.com,U,${index}\n`);
  bench.write("users.csv", `username,email,firstName,lastName\n${rows.join("")}`);
  const { stdout } = await bench.run(["users", "import", "users.csv"]);
  assert.equal(stdout, "2,500 created, 0 updated, 0 unchanged, 0 refused\n");
  assert.deepEqual(
    bench.server.requests.map(({ body }) => (body as Row[]).length),
    [1_000, 1_000, 500],
  );
});

test("an import that stops half way tells what is done", async () => {
  const denied = problem(500, "internal_error", "An internal error occurred.");
  let calls = 0;
  await using bench = await openBench({
    [route]: (request) => {
      calls += 1;
      return calls === 1 ? upsert(request) : denied;
    },
  });
  const rows = Array.from({ length: 1_500 }, (_, index) => `user${index},u${index}@example.com,U,${index}\n`);
  bench.write("users.csv", `username,email,firstName,lastName\n${rows.join("")}`);
  const run = await bench.run(["users", "import", "users.csv"]);
  assert.equal(run.stdout, "1,000 created, 0 updated, 0 unchanged, 0 refused\n");
  assert.equal(
    run.stderr,
    "error: an internal error occurred (request req-1)\nhint: look for the request in the server's log\n",
  );
  assert.equal(run.exitCode, 8);
});

const unusable: [what: string, text: string, stderr: RegExp][] = [
  ["a column is missing", "username,email\n", /^error: the file has no column firstName, lastName\nhint: /],
  [
    "a column is unknown",
    "username,email,firstName,lastName,phone\n",
    /^error: the file has an unknown column "phone"\nhint: /,
  ],
  [
    "a column is there twice",
    "username,email,firstName,lastName,email\n",
    /^error: the file has the column email twice\nhint: /,
  ],
  [
    "a line is too long",
    "username,email,firstName,lastName\na,b,c,d,e\n",
    /line 2: it has more or fewer fields than the first line\n/,
  ],
  ["a quotation mark stays open", 'username,email,firstName,lastName\na,"b,c,d\n', /a quotation mark is not closed\n/],
];

test("a file that is no list of users is a usage error, and nothing is sent", async () => {
  await using bench = await openBench({ [route]: upsert });
  for (const [what, text, stderr] of unusable) {
    bench.write("users.csv", text);
    const run = await bench.run(["users", "import", "users.csv"]);
    assert.match(run.stderr, stderr, what);
    assert.equal(run.exitCode, 2, what);
  }
  const missing = await bench.run(["users", "import", "nowhere.csv"]);
  assert.equal(missing.stderr, "error: cannot read nowhere.csv (ENOENT)\n");
  assert.equal(missing.exitCode, 2);
  assert.equal(bench.server.requests.length, 0);
});
