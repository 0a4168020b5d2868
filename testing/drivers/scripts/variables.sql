# SET of all kinds, and that a session keeps what it has set, and only it.
SET autocommit = 1, sql_mode = 'ANSI_QUOTES', @@session.sort_buffer_size = 262144
SELECT @@sql_mode, @@sort_buffer_size
@2 SELECT @@sql_mode = @@global.sql_mode
SELECT "x" FROM DUAL
SET sql_mode = ''
SELECT "x" FROM DUAL
SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), @u = 5
SELECT @@sql_mode, @u
SET @@sql_mode := DEFAULT
SELECT @@sql_mode = @@global.sql_mode
SET time_zone = '+05:30'
SELECT FROM_UNIXTIME(0), @@time_zone
@2 SELECT @@time_zone
SET time_zone = 'SYSTEM'
SET timestamp = 1000000000
SELECT UNIX_TIMESTAMP(), UNIX_TIMESTAMP(NOW())
SET timestamp = DEFAULT
SELECT UNIX_TIMESTAMP() > 1500000000
SET @a = 1, @b := 'text', @c = NULL, @d = 1.5, @e = x'414243'
SELECT @a, @b, @c, @d, @e, @never
SELECT @a := @a + 1, @a := @a * 10
SELECT 7, 8 INTO @x, @y
SELECT @x, @y
SET @`quoted name` = 3, @'other' = 4
SELECT @`quoted name`, @'other'
SET @q = (SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'absent')
SELECT @q
@2 SELECT @a, @b
SET LOCAL wait_timeout = 12345
SELECT @@wait_timeout, @@session.wait_timeout, @@local.wait_timeout
SET SESSION group_concat_max_len = 10
SELECT GROUP_CONCAT(n) FROM (SELECT 'aaaaaaa' AS n UNION ALL SELECT 'bbbbbbb') x
SET group_concat_max_len = DEFAULT
SET sql_select_limit = 1
SELECT 1 UNION ALL SELECT 2
SET sql_select_limit = DEFAULT
SELECT 1 UNION ALL SELECT 2
SET foreign_key_checks = 0, unique_checks = OFF
SELECT @@foreign_key_checks, @@unique_checks
SET foreign_key_checks = ON, unique_checks = 1
SET sql_auto_is_null = 1
SELECT @@sql_auto_is_null
SET sql_auto_is_null = 0
SET sql_safe_updates = 1
CREATE TABLE v (id INT PRIMARY KEY, a INT)
UPDATE v SET a = 1
SET sql_safe_updates = 0
UPDATE v SET a = 1
SET insert_id = 77
CREATE TABLE ai (id INT PRIMARY KEY AUTO_INCREMENT)
INSERT INTO ai VALUES (NULL)
SELECT LAST_INSERT_ID()
SET auto_increment_increment = 10
INSERT INTO ai VALUES (NULL)
SELECT * FROM ai ORDER BY id
SET auto_increment_increment = DEFAULT
SET last_insert_id = 123
SELECT LAST_INSERT_ID()
SET rand_seed1 = 1, rand_seed2 = 2
SELECT RAND()
SET lc_time_names = 'de_DE'
SELECT DATE_FORMAT('2024-03-01', '%M %W')
SET lc_time_names = 'en_US'
SET div_precision_increment = 8
SELECT 1/3
SET div_precision_increment = 4
SET max_sort_length = 8
SET net_write_timeout = 99, net_read_timeout = 98, lock_wait_timeout = 97
SELECT @@net_write_timeout, @@net_read_timeout, @@lock_wait_timeout
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED
SHOW VARIABLES LIKE 't%isolation'
SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ
SET max_statement_time = 0.5
SET max_execution_time = 500
SET STATEMENT sort_buffer_size = 300000 FOR SELECT @@sort_buffer_size
SET ROLE NONE
SELECT CURRENT_ROLE()
SET @@session.autocommit = OFF
SELECT @@autocommit
SET SESSION autocommit = 'ON'
SELECT @@autocommit
SHOW VARIABLES LIKE 'sql_mode'
SHOW SESSION VARIABLES WHERE variable_name = 'wait_timeout'
SHOW GLOBAL VARIABLES LIKE 'lower_case_table_names'
SET DEFAULT ROLE NONE
SET RESOURCE GROUP absent
SET optimizer_switch = 'mrr=off'
SELECT @@optimizer_switch LIKE '%mrr=off%'
SET optimizer_switch = DEFAULT
SET character_set_results = NULL
SELECT @@character_set_results
SET NAMES utf8mb4 COLLATE utf8mb4_bin
SELECT @@collation_connection, @@character_set_client
SET profiling = 0
SET session_track_schema = OFF
SELECT @@session_track_schema
SET session_track_schema = ON
SET session_track_system_variables = '*'
SET session_track_state_change = ON
SELECT @@sql_log_bin
SET sql_log_bin = 0
SET sql_big_selects = 0
SET max_join_size = 1
SELECT * FROM v a, v b
SELECT COUNT(*) FROM information_schema.collations a, information_schema.collations b
SET sql_big_selects = 1, max_join_size = DEFAULT
SET sql_notes = 0
DROP TABLE IF EXISTS absent
SET sql_notes = 1
DROP TABLE IF EXISTS absent
SET warning_count = 1
SELECT @@warning_count, @@error_count
SET @@identity = 55
SELECT LAST_INSERT_ID(), @@identity
SET sql_warnings = ON
SET big_tables = 0
DROP TABLE v, ai
