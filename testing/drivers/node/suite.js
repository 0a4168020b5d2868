// Node.js: mysql2, or the MariaDB connector. Scripts by the text protocol and by the binary one,
// and what applications do with pools, streams and prepared statements.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const env = process.env;
const family = env.DRIVERS_FAMILY || 'mariadb';
const which = process.argv[2] || 'mysql2';
const schema = env.DRIVERS_DATABASE || 'test_drivers';
const login = {
  host: env.DRIVERS_HOST,
  port: Number(env.DRIVERS_PORT),
  user: env.DRIVERS_USER,
  password: env.DRIVERS_PASSWORD,
};
const cases = [];
exports.family = family;
exports.login = login;
exports.schema = schema;

function shown(value) {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return `bigint ${value}`;
  if (value instanceof Date) return `date ${value.getTime()}`;
  if (Buffer.isBuffer(value)) {
    const digest = crypto.createHash('sha1').update(value).digest('hex');
    return value.length > 200 ? `bytes ${value.length} ${digest}` : `bytes ${value.toString('hex')}`;
  }
  if (Array.isArray(value)) {
    if (value.length > 1000) {
      const digest = crypto.createHash('sha1').update(JSON.stringify(value.map(shown)));
      return `rows ${value.length} ${digest.digest('hex')}`;
    }
    return value.map(shown);
  }
  if (value.columnType !== undefined) return [value.name, value.columnType, value.flags];
  if (typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shown(item)]));
  }
  if (typeof value === 'string' && value.length > 2000) {
    return `text ${value.length} ${crypto.createHash('sha1').update(value).digest('hex')}`;
  }
  return value;
}

class Log {
  constructor() {
    this.lines = [];
  }

  see(what, ...values) {
    this.lines.push([what, ...values.map(shown)]);
  }

  error(what, error) {
    this.see(what, error.code, error.errno, error.sqlState, error.sqlMessage || error.message);
    const lost = ['ECONNRESET', 'PROTOCOL_CONNECTION_LOST', 'EPIPE', 'ER_SOCKET_UNEXPECTED_CLOSE'];
    return lost.includes(error.code);
  }
}
exports.Log = Log;

function test(name, body) {
  cases.push([name, body]);
}
exports.test = test;

function* statements(file) {
  for (const raw of fs.readFileSync(file, 'utf8').split('\n')) {
    const line = raw.trim();
    if (!line || line.startsWith('#')) continue;
    const [, session, text] = /^(?:@(\d) )?(.*)$/.exec(line);
    yield [Number(session || 1), text];
  }
}

const folder = path.join(__dirname, '..', 'scripts');

// A case for each script; `run` tells everything that one statement answers.
function scripts(connect, run, suffix) {
  for (const file of fs.readdirSync(folder).sort()) {
    if (!file.endsWith('.sql')) continue;
    test(`script ${path.basename(file, '.sql')}${suffix}`, async (log) => {
      const sessions = {};
      try {
        for (const [number, sql] of statements(path.join(folder, file))) {
          sessions[number] ||= await connect();
          await run(sessions[number], sql, log);
        }
      } finally {
        for (const session of Object.values(sessions)) await session.end().catch(() => {});
      }
    });
  }
}
exports.scripts = scripts;

async function freshSchema(connect) {
  const session = await connect({ database: undefined });
  await session.query('DROP DATABASE IF EXISTS test_drivers_other');
  await session.query(`DROP DATABASE IF EXISTS ${schema}`);
  await session.query(
    `CREATE DATABASE ${schema} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`,
  );
  await session.end();
}

async function main() {
  const { connect } = require(`./${which}.js`);
  let failed = 0;
  for (const [name, body] of cases) {
    if (env.DRIVERS_ONLY && !name.includes(env.DRIVERS_ONLY)) continue;
    const log = new Log();
    const began = performance.now();
    let raised = null;
    try {
      await freshSchema(connect);
      await body(log);
    } catch (error) {
      raised = `${error.name}: ${error.message}`;
      log.see('raised', raised);
      failed += 1;
    }
    const took_s = Math.round(performance.now() - began) / 1000;
    console.log(JSON.stringify({ case: name, raised, took_s, lines: log.lines }));
  }
  process.exit(failed ? 1 : 0);
}

// Not 1: the cases behind it did not run.
process.on('uncaughtException', (error) => {
  console.error(error);
  process.exit(70);
});

if (require.main === module) main();
