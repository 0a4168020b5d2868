// MariaDB Connector/Node.js: commands sent ahead of the replies, bulk execution, streams, pools.
'use strict';

const connector = require('mariadb');
const { family, login, schema, scripts, test } = require(require.main.filename);

async function connect(options = {}) {
  return connector.createConnection({
    ...login,
    database: schema,
    multipleStatements: true,
    bigIntAsNumber: false,
    dateStrings: true,
    rowsAsArray: true,
    metaAsArray: true,
    autoJsonMap: false,
    allowPublicKeyRetrieval: true,
    // Its own limit is a second: too short for a busy machine.
    connectTimeout: 60000,
    ...options,
  });
}
exports.connect = connect;

function told(log, sql, answer) {
  // Rows and their columns, or what an OK packet says.
  if (!Array.isArray(answer)) return log.see(sql, answer);
  const [rows, columns] = answer;
  const shown = (columns || []).map((one) => one && [one.name(), one.orgName(), one.table(),
    one.orgTable(), one.db(), one.columnType, one.collation.index, one.flags, one.columnLength,
    one.scale]);
  return log.see(sql, shown, rows);
}

async function query(session, sql, log) {
  try {
    told(log, sql, await session.query({ sql, metaAsArray: true }));
  } catch (error) {
    if (log.error(sql, error)) throw error;
  }
}

async function execute(session, sql, log) {
  try {
    told(log, sql, await session.execute({ sql, metaAsArray: true }));
  } catch (error) {
    if (log.error(sql, error)) throw error;
  }
}

// The texts of several results come in a form of their own.
async function plain(session, sql, log) {
  try {
    log.see(sql, await session.query({ sql, metaAsArray: false }));
  } catch (error) {
    if (log.error(sql, error)) throw error;
  }
}

scripts(connect, plain, '');
// One by one: of an execution sent ahead of its statement's refusal the proxy itself says 1243, and
// SHOW ERRORS does not know.
scripts(() => connect({ pipelining: false }), execute, ' prepared');

test('rows are executed in bulk', async (log) => {
  // The driver mends several results into one only in its usual form.
  const session = await connect({ rowsAsArray: false, metaAsArray: false });
  await session.query('CREATE TABLE b (id INT PRIMARY KEY, v VARCHAR(40), x LONGBLOB)');
  const rows = Array.from({ length: 500 }, (_, n) => [n, `row ${n} é😀`, Buffer.from([n % 256])]);
  log.see('inserted', await session.batch('INSERT INTO b VALUES (?, ?, ?)', rows));
  log.see('nulls', await session.batch('UPDATE b SET v = ? WHERE id = ?', [[null, 1], ['y', 2]]));
  try {
    log.see('twice', await session.batch('INSERT INTO b VALUES (?, ?, ?)', rows.slice(499).concat(rows)));
  } catch (error) {
    log.error('twice', error);
  }
  await plain(session, 'SELECT COUNT(*), COUNT(v), SUM(LENGTH(x)) FROM b', log);
  await plain(session, 'SELECT * FROM b WHERE id < 4 ORDER BY id', log);
  const large = Array.from({ length: 40 }, (_, n) => [1000 + n, 'x', Buffer.alloc(1 << 20, n)]);
  log.see('large', await session.batch('INSERT INTO b VALUES (?, ?, ?)', large));
  await plain(session, 'SELECT COUNT(*), SUM(LENGTH(x)) FROM b', log);
  await session.end();
});

test('statements are sent ahead of their replies', async (log) => {
  const session = await connect();
  await session.query('CREATE TABLE a (id INT PRIMARY KEY AUTO_INCREMENT, v INT)');
  const texts = [];
  for (let n = 0; n < 60; n += 1) {
    texts.push(`INSERT INTO a (v) VALUES (${n})`, `SELECT ${n}, LAST_INSERT_ID()`);
    if (n % 20 === 9) texts.push('SELECT * FROM absent', 'BEGIN', 'DELETE FROM a', 'ROLLBACK');
  }
  const answers = await Promise.allSettled(texts.map((sql) => session.query(sql)));
  answers.forEach((one, place) => {
    if (one.status === 'fulfilled') log.see(texts[place], one.value);
    else log.error(texts[place], one.reason);
  });
  await query(session, 'SELECT COUNT(*), SUM(v) FROM a', log);
  await session.end();
});

test('rows are streamed', async (log) => {
  const session = await connect();
  const digits = '(SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4)';
  const sql = `SELECT a.n, b.n, REPEAT('x', 1000) FROM ${digits} a, ${digits} b, ${digits} c,` +
    ` ${digits} d, ${digits} e`;
  let count = 0;
  for await (const row of session.queryStream(sql)) count += row.length;
  log.see('fields', count);
  await query(session, "SELECT 'next'", log);
  await session.end();
});

test('a pool of sessions', async (log) => {
  const pool = connector.createPool({ ...login, database: schema, connectionLimit: 4, rowsAsArray: true,
    allowPublicKeyRetrieval: true, connectTimeout: 60000, acquireTimeout: 60000 });
  await pool.query('CREATE TABLE q (id INT PRIMARY KEY, v INT)');
  await Promise.all(Array.from({ length: 60 }, (_, n) => pool.query('INSERT INTO q VALUES (?, ?)', [n, n])));
  log.see('sum', await pool.query('SELECT COUNT(*), SUM(v) FROM q'));
  const one = await pool.getConnection();
  await one.query('SET @x = 5, time_zone = "+01:00"');
  await one.release();
  log.see('after a release', await pool.query('SELECT @x, @@time_zone'));
  await pool.end();
});

test('resets, changes of user and schemas', async (log) => {
  const session = await connect();
  await session.query('SET @a = 1');
  if (family !== 'mysql56') await session.reset();
  await query(session, 'SELECT @a, DATABASE()', log);
  await session.query('USE information_schema');
  await query(session, 'SELECT DATABASE()', log);
  // Elsewhere the driver refuses a change of user itself.
  if (family === 'mariadb') {
    await session.changeUser({ ...login, database: schema });
    await query(session, 'SELECT DATABASE()', log);
  }
  for (const change of family !== 'mariadb' ? [] : [{ ...login, password: 'wrong' }, { ...login, user: 'nobody_here' }]) {
    const other = await connect();
    try {
      await other.changeUser(change);
      log.see('changed');
    } catch (error) {
      log.error('refused', error);
    }
    other.destroy();
  }
  await session.ping();
  await session.end();
});

test('compressed', async (log) => {
  const session = await connect({ compress: true });
  await query(session, "SELECT LENGTH(REPEAT('x', 3000000)), REPEAT('ab', 100000)", log);
  await session.end();
});
