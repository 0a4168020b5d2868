# The current schema, and what SHOW and information_schema tell.
SELECT DATABASE()
CREATE DATABASE test_drivers_other
USE test_drivers_other
SELECT DATABASE()
CREATE TABLE only_here (id INT PRIMARY KEY, v VARCHAR(10) DEFAULT 'x' COMMENT 'of a column', KEY by_v (v))
@2 SELECT DATABASE()
@2 SELECT * FROM only_here
@2 SELECT * FROM test_drivers_other.only_here
SHOW TABLES
SHOW FULL TABLES LIKE 'only%'
DESCRIBE only_here
EXPLAIN only_here
SHOW COLUMNS FROM only_here LIKE 'v'
SHOW FULL COLUMNS FROM only_here
SHOW CREATE TABLE only_here
SHOW CREATE DATABASE test_drivers_other
SHOW INDEX FROM only_here
SHOW KEYS FROM absent
SHOW TABLES FROM absent
SHOW DATABASES LIKE 'test_drivers%'
SHOW SCHEMAS LIKE 'absent'
SHOW TRIGGERS
SHOW EVENTS
SHOW GRANTS
SHOW PRIVILEGES
SHOW ENGINES
SHOW PLUGINS
SHOW PROCEDURE STATUS LIKE 'absent'
SHOW STATUS LIKE 'absent'
SHOW MASTER STATUS
SHOW ENGINE INNODB STATUS
SHOW OPEN TABLES FROM absent
EXPLAIN SELECT * FROM only_here WHERE id = 1
EXPLAIN FORMAT=JSON SELECT 1
EXPLAIN EXTENDED SELECT 1
EXPLAIN ABSENT
SHOW WARNINGS
CHECK TABLE only_here
ANALYZE TABLE only_here
OPTIMIZE TABLE only_here
CHECKSUM TABLE only_here
REPAIR TABLE only_here
SELECT table_name, table_type, engine FROM information_schema.tables WHERE table_schema = DATABASE()
SELECT column_name, column_type, is_nullable, column_default FROM information_schema.columns WHERE table_schema = 'test_drivers_other' ORDER BY ordinal_position
SELECT * FROM information_schema.key_column_usage WHERE table_schema = 'test_drivers_other'
SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'test_drivers%' ORDER BY 1
HELP 'absent'
DROP DATABASE test_drivers_other
SELECT DATABASE()
SHOW TABLES
CREATE TABLE x (id INT)
USE test_drivers
SELECT DATABASE()
DROP DATABASE test_drivers_other
CREATE SCHEMA IF NOT EXISTS test_drivers
