// mysql2: text and binary protocol, pools, streams, change of user.
'use strict';

const mysql = require('mysql2/promise');
const callbacks = require('mysql2');
const { Readable } = require('node:stream');
const { family, login, schema, scripts, test } = require(require.main.filename);

async function connect(options = {}) {
  return mysql.createConnection({
    ...login,
    database: schema,
    multipleStatements: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    ...options,
  });
}
exports.connect = connect;

function told(log, sql, rows, fields) {
  const columns = (fields || []).map((list) => {
    const one = (f) => f && [f.name, f.orgName, f.table, f.orgTable, f.schema, f.columnType,
      f.characterSet, f.flags, f.columnLength, f.decimals];
    return Array.isArray(list) ? list.map(one) : one(list);
  });
  log.see(sql, columns, rows);
}

async function query(session, sql, log) {
  try {
    const [rows, fields] = await session.query({ sql, rowsAsArray: true });
    told(log, sql, rows, fields);
  } catch (error) {
    if (log.error(sql, error)) throw error;
  }
}

async function execute(session, sql, log) {
  try {
    const [rows, fields] = await session.execute({ sql, rowsAsArray: true });
    told(log, sql, rows, fields);
    session.unprepare({ sql, rowsAsArray: true });
  } catch (error) {
    if (log.error(sql, error)) throw error;
  }
}

scripts(connect, query, '');
scripts(connect, execute, ' prepared');

test('parameters of every type', async (log) => {
  const session = await connect();
  await session.query('CREATE TABLE p (id INT PRIMARY KEY, i BIGINT, d DOUBLE, n DECIMAL(20,5),' +
    ` s VARCHAR(50), b BLOB, t DATETIME(3), j ${family === 'mysql56' ? 'TEXT' : 'JSON'},` +
    ' x INT UNSIGNED)');
  const rows = [
    [1, 123, 1.5, '12.34567', 'text é😀', Buffer.from([0, 1, 255]), '2024-01-02 03:04:05.678',
      '{"a": 1}', 4294967295],
    [2, null, null, null, null, null, null, null, null],
    [3, -1, -0.0, '-0.00001', '', Buffer.alloc(0), '1000-01-01 00:00:00.000', '[]', 0],
  ];
  for (const row of rows) {
    const [done] = await session.execute('INSERT INTO p VALUES (?,?,?,?,?,?,?,?,?)', row);
    log.see('inserted', done);
  }
  for (const id of [1, 2, 3, 4]) {
    const [found, fields] = await session.execute('SELECT * FROM p WHERE id = ?', [id]);
    told(log, `row ${id}`, found, fields);
  }
  const [sum] = await session.execute('SELECT SUM(i) + ? AS s, ? AS t, ? AS u FROM p', [5, 'x', null]);
  log.see('mixed', sum);
  await session.end();
});

test('large parameters and results', async (log) => {
  const session = await connect();
  await session.query('CREATE TABLE l (id INT, b LONGBLOB)');
  // Longer ones are sent with sequence numbers that servers refuse as often as not.
  for (const size of [0, 65535, 65536, 1 << 20, 0xffffff - 100]) {
    const data = Buffer.alloc(size, 'abcdefghij');
    try {
      await session.execute('INSERT INTO l VALUES (?, ?)', [size, data]);
      const [rows] = await session.execute('SELECT b FROM l WHERE id = ?', [size]);
      log.see(`${size}`, rows[0].b.equals(data));
    } catch (error) {
      if (log.error(`${size}`, error)) throw error;
    }
  }
  await session.end();
});

test('one statement prepared many times over sessions', async (log) => {
  const sessions = await Promise.all([1, 2, 3, 4, 5].map(() => connect()));
  await sessions[0].query('CREATE TABLE m (id INT PRIMARY KEY, v INT)');
  for (let n = 0; n < 40; n += 1) {
    await sessions[n % 5].execute('INSERT INTO m VALUES (?, ?)', [n, n * n]);
  }
  for (let n = 0; n < 40; n += 1) {
    const [rows] = await sessions[(n + 3) % 5].execute('SELECT v FROM m WHERE id = ?', [n]);
    log.see(`row ${n}`, rows);
  }
  await sessions[1].query('ALTER TABLE m ADD COLUMN w INT DEFAULT 7');
  for (const session of sessions) {
    const [rows] = await session.execute('SELECT * FROM m WHERE id = ?', [1]);
    log.see('after the change', rows);
  }
  for (const session of sessions) await session.end();
});

test('a prepared statement is used and closed', async (log) => {
  const session = await connect();
  const statement = await session.prepare('SELECT ? + ? AS s');
  for (const pair of [[1, 2], [3, 4], [null, 1]]) log.see('sum', await statement.execute(pair));
  await statement.close();
  for (const sql of ['SELEC ?', 'SELECT * FROM absent WHERE id = ?', 'SELECT ?; SELECT ?', '']) {
    try {
      await session.prepare(sql);
      log.see(sql, 'prepared');
    } catch (error) {
      log.error(sql, error);
    }
  }
  try {
    await session.execute('SELECT ? + ?', [1]);
  } catch (error) {
    log.error('too few', error);
  }
  log.see('next', (await session.query('SELECT 1'))[0]);
  await session.end();
});

test('many statements are open at once', async (log) => {
  const session = await connect({ maxPreparedStatements: 500 });
  for (let round = 0; round < 2; round += 1) {
    let sum = 0;
    for (let n = 0; n < 300; n += 1) {
      const [rows] = await session.execute(`SELECT ${n} + ? AS v`, [1]);
      sum += Number(rows[0].v);
    }
    log.see(`round ${round}`, sum);
  }
  await session.end();
});

test('a pool of sessions', async (log) => {
  const pool = mysql.createPool({ ...login, database: schema, connectionLimit: 4 });
  await pool.query('CREATE TABLE q (id INT PRIMARY KEY AUTO_INCREMENT, v INT)');
  const all = [];
  for (let n = 0; n < 60; n += 1) {
    all.push(pool.execute('INSERT INTO q (v) VALUES (?)', [n]));
  }
  await Promise.all(all);
  log.see('sum', (await pool.query('SELECT COUNT(*) c, SUM(v) s FROM q'))[0]);
  const one = await pool.getConnection();
  await one.beginTransaction();
  await one.query('DELETE FROM q');
  await one.rollback();
  one.release();
  log.see('sum', (await pool.query('SELECT COUNT(*) c, SUM(v) s FROM q'))[0]);
  await pool.end();
});

test('users and schemas change in a session', async (log) => {
  // The driver forgets the password where a server asks for no other plugin, as 5.6 does.
  if (family === 'mysql56') return;
  const session = await connect();
  await session.query('SET @a = 1, time_zone = "+01:00"');
  await session.query('CREATE TEMPORARY TABLE gone (id INT)');
  await session.changeUser({ ...login, database: 'information_schema' });
  await query(session, 'SELECT @a, @@time_zone, DATABASE()', log);
  await query(session, 'SELECT * FROM test_drivers.gone', log);
  for (const change of [
    { ...login, password: 'wrong' },
    { ...login, database: 'absent_schema' },
    { ...login, user: 'nobody_here' },
  ]) {
    const other = await connect();
    try {
      await other.changeUser(change);
      log.see('changed');
    } catch (error) {
      log.error('refused', error);
    }
    other.destroy();
  }
  await session.changeUser({ ...login, database: schema, charset: 'latin1_swedish_ci' });
  await query(session, 'SELECT DATABASE(), @@character_set_client, @@collation_connection', log);
  await session.ping();
  await session.end();
});

test('logins', async (log) => {
  for (const options of [
    { password: 'wrong' }, { user: 'nobody_here' }, { database: 'absent_schema' },
    { database: 'mysql' }, { password: '' }, { flags: ['-CONNECT_WITH_DB'] },
    { flags: ['FOUND_ROWS'] }, { charset: 'LATIN1_SWEDISH_CI' }, { timezone: '+02:00' },
    { connectAttributes: { program_name: 'x'.repeat(300), _own: 'v' } },
  ]) {
    try {
      const session = await connect(options);
      await query(session, 'SELECT DATABASE(), @@character_set_client', log);
      await session.end();
    } catch (error) {
      log.error(JSON.stringify(options).slice(0, 60), error);
    }
  }
});

test('a result is streamed', async (log) => {
  const session = callbacks.createConnection({ ...login, database: schema });
  const sql = 'SELECT a.id x, b.id y FROM information_schema.collations a,' +
    ' information_schema.collations b LIMIT 30000';
  const rows = await new Promise((resolve, reject) => {
    let count = 0;
    const stream = session.query(sql).stream({ highWaterMark: 5 });
    stream.on('data', () => {
      count += 1;
      if (count % 10000 === 0) {
        stream.pause();
        setTimeout(() => stream.resume(), 20);
      }
    });
    stream.on('end', () => resolve(count));
    stream.on('error', reject);
  });
  log.see('rows', rows);
  await session.promise().end();
});

test('commands are sent ahead of their answers', async (log) => {
  const session = await connect();
  const all = [];
  for (let n = 0; n < 50; n += 1) {
    all.push(n % 3 ? session.query(`SELECT ${n} AS n`) : session.execute('SELECT ? AS n', [n]));
  }
  all.push(session.query('SELECT * FROM absent').catch((error) => [error.errno]));
  all.push(session.query('SELECT "last" AS n'));
  for (const answer of await Promise.all(all)) log.see('n', answer[0]);
  await session.end();
});

test('files of the client', async (log) => {
  const session = await connect();
  await session.query('CREATE TABLE f (a INT, b VARCHAR(20))');
  const load = (text) => session.query({
    sql: 'LOAD DATA LOCAL INFILE "x" INTO TABLE f FIELDS TERMINATED BY ","',
    infileStreamFactory: () => Readable.from(text.map((part) => Buffer.from(part))),
  });
  for (const text of [['1,one\n', '2,two\n'], [], ['3,'.padEnd(500_000, 'x')]]) {
    try {
      log.see('loaded', (await load(text))[0]);
    } catch (error) {
      log.error('refused', error);
    }
    await query(session, 'SHOW WARNINGS', log);
  }
  await query(session, 'SELECT COUNT(*), MAX(a), MAX(b) FROM f', log);
  await session.end();
});

test('a statement that takes too long', async (log) => {
  const session = await connect();
  const sql = family === 'mysql'
    ? 'SELECT /*+ MAX_EXECUTION_TIME(200) */ COUNT(*) FROM information_schema.collations a,' +
      ' information_schema.collations b, information_schema.collations c'
    : 'SET STATEMENT max_statement_time = 0.2 FOR SELECT SLEEP(10)';
  await query(session, sql, log);
  await query(session, 'SELECT "next"', log);
  await session.end();
});

test('procedures with results', async (log) => {
  const session = await connect();
  await session.query('CREATE PROCEDURE pr(IN a INT, OUT b INT)' +
    ' BEGIN SELECT a; SET b = a + 1; SELECT b, a; END');
  for (const [how, call] of [['query', (s) => session.query(s)], ['execute', (s) => session.execute(s)]]) {
    try {
      log.see(how, (await call('CALL pr(5, @out)'))[0]);
      log.see('out', (await session.query('SELECT @out'))[0]);
    } catch (error) {
      log.error(how, error);
    }
  }
  await session.end();
});
