# Character sets and collations of a session.
SELECT @@character_set_client, @@character_set_connection, @@character_set_results, @@collation_connection
SET NAMES latin1
SELECT @@character_set_client, @@collation_connection, HEX('a')
SET NAMES utf8mb4
CREATE TABLE cs (u VARCHAR(20) CHARACTER SET utf8mb4, l VARCHAR(20) CHARACTER SET latin1, b VARBINARY(20))
INSERT INTO cs VALUES ('héllo😀', 'héllo', 'héllo')
SELECT u, l, HEX(b), HEX(u), HEX(l) FROM cs
SET character_set_results = latin1
SELECT HEX(u), @@character_set_results FROM cs
SET character_set_results = utf8mb4
SET CHARACTER SET utf8mb4
SELECT @@collation_connection = @@collation_database
SET NAMES utf8mb4 COLLATE utf8mb4_general_ci
SELECT 'a' = 'A', 'a' = 'A' COLLATE utf8mb4_bin, _latin1'x' = _utf8mb4'x'
SELECT _binary'abc', _utf8mb4 x'F09F9880', CONVERT('x' USING ascii), N'national'
SET collation_connection = utf8mb4_bin
SELECT 'a' = 'A'
INSERT INTO cs (l) VALUES ('😀')
SELECT 'a' COLLATE latin1_bin
SELECT CONCAT(_latin1'a' COLLATE latin1_bin, _latin1'b' COLLATE latin1_swedish_ci)
SET NAMES DEFAULT
SET NAMES binary
SELECT @@character_set_client, @@character_set_results
SET NAMES utf8mb4
ALTER DATABASE CHARACTER SET latin1
SELECT @@character_set_database
ALTER DATABASE CHARACTER SET utf8mb4
SHOW COLLATION LIKE 'utf8mb4_bin'
SHOW CHARACTER SET LIKE 'utf8mb4'
DROP TABLE cs
