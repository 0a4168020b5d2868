<?php
// PHP: PDO with emulated and with real prepared statements, and mysqli.
declare(strict_types=1);

$login = [
    'host' => getenv('DRIVERS_HOST'), 'port' => (int) getenv('DRIVERS_PORT'),
    'user' => getenv('DRIVERS_USER'), 'password' => getenv('DRIVERS_PASSWORD'),
];
$cases = [];

function shown(mixed $value): mixed
{
    if (is_string($value) && strlen($value) > 500) {
        return 'text ' . strlen($value) . ' ' . sha1($value);
    }
    if (is_string($value) && !preg_match('//u', $value)) {
        return 'bytes ' . bin2hex($value);
    }
    return is_array($value) ? array_map('shown', $value) : $value;
}

final class Log
{
    public array $lines = [];

    public function see(string $what, mixed ...$values): void
    {
        $this->lines[] = [$what, ...array_map('shown', $values)];
    }
}

function pdo(array $options = [], ?string $schema = 'test_drivers'): PDO
{
    global $login;
    $place = "mysql:host={$login['host']};port={$login['port']};charset=utf8mb4";
    $place .= $schema === null ? '' : ";dbname=$schema";
    return new PDO($place, $login['user'], $login['password'], $options + [
        PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
        PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_NUM,
    ]);
}

function fresh(): void
{
    $session = pdo([], null);
    $session->exec('DROP DATABASE IF EXISTS test_drivers_other');
    $session->exec('DROP DATABASE IF EXISTS test_drivers');
    $session->exec('CREATE DATABASE test_drivers CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci');
}

function query(PDO $session, string $sql, Log $log): void
{
    try {
        $result = $session->query($sql);
        $warnings = method_exists($session, 'getWarningCount') ? $session->getWarningCount() : null;
        do {
            $columns = [];
            for ($n = 0; $n < $result->columnCount(); $n += 1) {
                $meta = $result->getColumnMeta($n);
                $columns[] = [$meta['name'], $meta['native_type'] ?? '', $meta['len'], $meta['flags']];
            }
            $rows = $columns ? $result->fetchAll() : null;
            $log->see($sql, $columns, $rows, $result->rowCount(), $session->lastInsertId(), $warnings);
        } while ($result->nextRowset());
    } catch (PDOException $error) {
        $log->see($sql, 'PDOException', $error->errorInfo);
        if (in_array($error->errorInfo[1] ?? 0, [2006, 2013], true)) {
            throw $error;
        }
    }
}

function scripts(callable $connect, callable $run, string $suffix): void
{
    global $cases;
    foreach (glob(__DIR__ . '/../scripts/*.sql') as $file) {
        $cases['script ' . basename($file, '.sql') . $suffix] = function (Log $log) use ($file, $connect, $run) {
            $sessions = [];
            foreach (file($file, FILE_IGNORE_NEW_LINES) as $line) {
                $line = trim($line);
                if ($line === '' || $line[0] === '#') {
                    continue;
                }
                preg_match('/^(?:@(\d) )?(.*)$/u', $line, $parts);
                $number = (int) ($parts[1] ?: 1);
                $sessions[$number] ??= $connect();
                $run($sessions[$number], $parts[2], $log);
            }
        };
    }
}

scripts(fn () => pdo([PDO::ATTR_EMULATE_PREPARES => true]), 'query', ' emulated');
scripts(fn () => pdo([PDO::ATTR_EMULATE_PREPARES => false]), 'query', ' prepared');
scripts(
    function () use ($login) {
        mysqli_report(MYSQLI_REPORT_OFF);
        return new mysqli($login['host'], $login['user'], $login['password'], 'test_drivers', $login['port']);
    },
    function (mysqli $session, string $sql, Log $log) {
        $more = $session->multi_query($sql);
        if (!$more) {
            $log->see($sql, $session->errno, $session->sqlstate, $session->error);
        }
        while ($more) {
            $result = $session->store_result();
            $log->see($sql, $result ? $result->fetch_all() : null, $session->affected_rows,
                $session->insert_id, $session->warning_count, $session->info);
            $more = $session->more_results() && $session->next_result();
            if (!$more && $session->errno) {
                $log->see($sql, $session->errno, $session->sqlstate, $session->error);
            }
        }
        if (in_array($session->errno, [2006, 2013], true)) {
            throw new RuntimeException($session->error);
        }
    },
    ' mysqli',
);

$cases['prepared statements with values'] = function (Log $log) {
    foreach ([true, false] as $emulated) {
        $session = pdo([PDO::ATTR_EMULATE_PREPARES => $emulated]);
        $session->exec('CREATE OR REPLACE VIEW nothing AS SELECT 1');
        $session->exec('DROP TABLE IF EXISTS p');
        $session->exec('CREATE TABLE p (id INT PRIMARY KEY AUTO_INCREMENT, s VARCHAR(50), d DOUBLE, b LONGBLOB)');
        $insert = $session->prepare('INSERT INTO p (s, d, b) VALUES (:s, :d, :b)');
        foreach ([['é😀', 1.5, "\0\xff"], [null, null, null], ['', 0, str_repeat('x', 3 << 20)]] as [$s, $d, $b]) {
            $insert->bindValue('s', $s);
            $insert->bindValue('d', $d);
            $insert->bindValue('b', $b, PDO::PARAM_LOB);
            $insert->execute();
            $log->see('inserted', $insert->rowCount(), $session->lastInsertId());
        }
        $find = $session->prepare('SELECT * FROM p WHERE id = ? OR s = ?');
        foreach ([[1, 'x'], [2, 'é😀'], ['3', null]] as $values) {
            $find->execute($values);
            $log->see('found', $find->fetchAll());
        }
        try {
            $session->prepare('SELECT * FROM absent WHERE id = ?')->execute([1]);
        } catch (PDOException $error) {
            $log->see('absent', $error->errorInfo);
        }
    }
};

$cases['transactions'] = function (Log $log) {
    $session = pdo();
    $session->exec('CREATE TABLE t (id INT PRIMARY KEY)');
    $session->beginTransaction();
    $session->exec('INSERT INTO t VALUES (1)');
    $log->see('in', $session->inTransaction());
    $session->rollBack();
    $session->beginTransaction();
    $session->exec('INSERT INTO t VALUES (2)');
    $session->commit();
    $session->setAttribute(PDO::ATTR_AUTOCOMMIT, 0);
    $session->exec('INSERT INTO t VALUES (3)');
    $session = null;
    query(pdo(), 'SELECT * FROM t', $log);
};

$cases['results that are not buffered'] = function (Log $log) {
    $session = pdo([PDO::MYSQL_ATTR_USE_BUFFERED_QUERY => false]);
    $result = $session->query('SELECT a.id FROM information_schema.collations a,'
        . ' information_schema.collations b LIMIT 20000');
    $count = 0;
    while ($result->fetch()) {
        $count += 1;
    }
    $log->see('rows', $count);
    $open = $session->query('SELECT 1 UNION SELECT 2');
    try {
        $session->query('SELECT 3');
    } catch (PDOException $error) {
        $log->see('unread', $error->errorInfo);
    }
    $open->closeCursor();
    query($session, 'SELECT 4', $log);
};

$cases['cursors of mysqli'] = function (Log $log) {
    global $login;
    mysqli_report(MYSQLI_REPORT_OFF);
    $place = [$login['host'], $login['user'], $login['password'], 'test_drivers', $login['port']];
    $session = new mysqli(...$place);
    $session->query('CREATE TABLE cu (id INT PRIMARY KEY, v VARCHAR(20))');
    $session->query("INSERT INTO cu VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, NULL)");
    foreach ([1, 2, 100] as $rows) {
        $statement = $session->prepare('SELECT id, v FROM cu WHERE id > ? ORDER BY id');
        $statement->attr_set(MYSQLI_STMT_ATTR_CURSOR_TYPE, MYSQLI_CURSOR_TYPE_READ_ONLY);
        $statement->attr_set(MYSQLI_STMT_ATTR_PREFETCH_ROWS, $rows);
        foreach ([0, 3, 9] as $from) {
            $statement->bind_param('i', $from);
            $log->see("from $from", $statement->execute(), $statement->errno);
            $statement->bind_result($id, $v);
            while ($statement->fetch()) {
                $log->see('row', $id, $v);
                // Other statements run while the cursor is open.
                $between = $session->query("SELECT $id + 1");
                $log->see('between', $between ? $between->fetch_row() : $session->error);
            }
            $log->see('end', $statement->errno, $statement->free_result());
        }
        // One that is left open.
        $statement->execute();
        $statement->fetch();
        $statement->close();
    }
    $two = [$session->prepare('SELECT id FROM cu ORDER BY id'),
        $session->prepare('SELECT v FROM cu ORDER BY id DESC')];
    foreach ($two as $statement) {
        $statement->attr_set(MYSQLI_STMT_ATTR_CURSOR_TYPE, MYSQLI_CURSOR_TYPE_READ_ONLY);
        $statement->execute();
    }
    $two[0]->bind_result($id);
    $two[1]->bind_result($v);
    while ($two[0]->fetch() && $two[1]->fetch()) {
        $log->see('both', $id, $v);
    }
    $session->close();
};

$cases['persistent connections and logins'] = function (Log $log) {
    for ($round = 0; $round < 3; $round += 1) {
        $session = pdo([PDO::ATTR_PERSISTENT => true]);
        query($session, 'SELECT @n, DATABASE()', $log);
        $session->exec("SET @n = $round");
        $session = null;
    }
    global $login;
    foreach ([['wrong', 'test_drivers'], [$login['password'], 'absent_schema']] as [$password, $schema]) {
        try {
            new PDO("mysql:host={$login['host']};port={$login['port']};dbname=$schema", $login['user'], $password);
        } catch (PDOException $error) {
            $log->see('refused', $error->getCode(), $error->getMessage());
        }
    }
    $log->see('found', pdo([PDO::MYSQL_ATTR_FOUND_ROWS => true, PDO::MYSQL_ATTR_INIT_COMMAND => 'SET @i = 5'])
        ->query('SELECT @i')->fetchAll());
    $compressed = pdo([PDO::MYSQL_ATTR_COMPRESS => true]);
    $log->see('compressed', strlen($compressed->query("SELECT REPEAT('x', 1000000)")->fetchColumn()));
};

$failed = 0;
foreach ($cases as $name => $body) {
    $only = getenv('DRIVERS_ONLY');
    if ($only && !str_contains($name, $only)) {
        continue;
    }
    $log = new Log();
    $raised = null;
    try {
        fresh();
        $body($log);
    } catch (Throwable $error) {
        $raised = get_class($error) . ': ' . $error->getMessage();
        $log->see('raised', $raised);
        $failed += 1;
    }
    $told = ['case' => $name, 'raised' => $raised, 'lines' => $log->lines];
    echo json_encode($told, JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR), "\n";
}
exit($failed ? 1 : 0);
