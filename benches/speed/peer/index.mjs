// A broadcast by email as a program in Node would make it: graphile-worker keeps the queue, Handlebars fills in the letter,
// nodemailer hands it over, and PostgreSQL has five rows of record for each mail: touch, message and event when it is
// submitted, attempt before it is handed over, event when that is answered.
//
// node index.mjs DATABASE-URL RELAY-HOST RELAY-PORT LETTERS CONNECTIONS
//
// letter.json in the working folder has the templates. Prints how many seconds there were between the submission and the
// last recorded outcome.

import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

import { Logger, run } from "graphile-worker";
import Handlebars from "handlebars";
import nodemailer from "nodemailer";
import pg from "pg";

const [url, host, port, letters, connections] = process.argv.slice(2);
const wanted = Number(letters);
// More jobs than connections at once: while some wait for the database, others use the relay.
const JOBS_AT_ONCE = 64;
// Jobs that are fetched together.
const BATCH = 500;
// Whoever started it waits no longer, and may be gone.
const MILLISECONDS_MAX = 300_000;

const SCHEMA = `
  CREATE TABLE person (
    id bigint PRIMARY KEY, first_name text, last_name text, organization text, email text NOT NULL
  );
  CREATE TABLE touch (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person_id bigint NOT NULL REFERENCES person (id),
    title text NOT NULL, occurred_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX touch_of ON touch (person_id, occurred_at);
  CREATE TABLE message (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, touch_id bigint NOT NULL REFERENCES touch (id),
    person_id bigint NOT NULL REFERENCES person (id), address text NOT NULL, status text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX message_by_status ON message (status, updated_at);
  CREATE TABLE attempt (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, message_id bigint NOT NULL REFERENCES message (id),
    status text NOT NULL, reply text, opened_at timestamptz NOT NULL DEFAULT now(), answered_at timestamptz
  );
  CREATE UNIQUE INDEX attempt_open ON attempt (message_id) WHERE status = 'calling';
  CREATE TABLE event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, message_id bigint NOT NULL REFERENCES message (id),
    attempt_id bigint REFERENCES attempt (id), kind text NOT NULL, at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX event_of ON event (message_id, at);`;
const KNOW = `
  INSERT INTO person SELECT i, 'Ana', 'Number' || i, 'Office ' || i, 'ana' || i || '@office' || i || '.example'
  FROM generate_series(1, $1::bigint) AS series(i)`;
const SUBMIT = `
  WITH touched AS (INSERT INTO touch (person_id, title) SELECT id, 'Capacity update' FROM person RETURNING id, person_id),
  made AS (
    INSERT INTO message (touch_id, person_id, address, status)
    SELECT touched.id, person.id, person.email, 'queued' FROM touched JOIN person ON person.id = touched.person_id
    RETURNING id
  )
  INSERT INTO event (message_id, kind) SELECT id, 'queued' FROM made`;
const ENQUEUE = `
  SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(
    SELECT json_populate_record(NULL::graphile_worker.job_spec,
      json_build_object('identifier', 'send', 'payload', json_build_object('message', id)))
    FROM message WHERE status = 'queued'))`;
const OPEN = `
  WITH opened AS (INSERT INTO attempt (message_id, status) VALUES ($1, 'calling') RETURNING id)
  SELECT opened.id AS attempt, message.address, person.*
  FROM opened, message JOIN person ON person.id = message.person_id WHERE message.id = $1`;
const SETTLE = `
  WITH answered AS (UPDATE attempt SET status = 'accepted', reply = $3, answered_at = now() WHERE id = $2),
  moved AS (UPDATE message SET status = 'accepted', updated_at = now() WHERE id = $1)
  INSERT INTO event (message_id, attempt_id, kind) VALUES ($1, $2, 'accepted')`;

setTimeout(() => process.exit(1), MILLISECONDS_MAX).unref();
const letter = JSON.parse(readFileSync("letter.json", "utf8"));
const [subject, html, text] = [letter.subject, letter.html, letter.text].map((template) => Handlebars.compile(template));
const pool = new pg.Pool({ connectionString: url, max: JOBS_AT_ONCE });
const complain = (error) => console.error(error.message);
pool.on("error", complain);
pool.on("connect", (client) => client.on("error", complain));
const relay = nodemailer.createTransport({
  host,
  port: Number(port),
  ignoreTLS: true,
  pool: true,
  maxConnections: Number(connections),
  maxMessages: Infinity,
});

let recorded = 0;
let allRecorded;
const end = new Promise((resolve) => (allRecorded = resolve));

async function send({ message }) {
  const { rows } = await pool.query({ name: "open", text: OPEN, values: [message] });
  const [{ attempt, address, ...person }] = rows;
  const { response } = await relay.sendMail({
    from: letter.from,
    to: address,
    subject: subject(person),
    text: text(person),
    html: html(person),
  });
  await pool.query({ name: "settle", text: SETTLE, values: [message, attempt, response] });
  recorded += 1;
  if (recorded === wanted) allRecorded();
}

await pool.query(SCHEMA);
await pool.query(KNOW, [wanted]);
await pool.query("ANALYZE person");
const runner = await run({
  pgPool: pool,
  concurrency: JOBS_AT_ONCE,
  noHandleSignals: true,
  logger: new Logger(() => (level, message) => level === "error" && console.error(message)),
  taskList: { send },
  preset: { worker: { localQueue: { size: BATCH }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
});

const started = performance.now();
const client = await pool.connect();
await client.query("BEGIN");
await client.query(SUBMIT);
await client.query(ENQUEUE);
await client.query("COMMIT");
client.release();
await end;
console.log((performance.now() - started) / 1000);

await runner.stop();
relay.close();
await pool.end();
