-- Tables of `main` without a `runtime_` twin, and not saved.

CREATE TABLE mysql_collations (
    Id INTEGER NOT NULL PRIMARY KEY,
    Collation TEXT NOT NULL,
    Charset TEXT NOT NULL,
    "Default" TEXT NOT NULL
);

CREATE TABLE runtime_checksums_values (
    name TEXT NOT NULL PRIMARY KEY,
    version INT NOT NULL,
    epoch INT NOT NULL,
    checksum TEXT NOT NULL
);

-- What is not the same everywhere; NULL where there is no such row.
CREATE TABLE config_drift (
    module TEXT NOT NULL,
    table_name TEXT NOT NULL,
    row_key TEXT NOT NULL,
    column_name TEXT NOT NULL,
    in_file TEXT,
    in_memory TEXT,
    in_runtime TEXT,
    on_disk TEXT,
    comment TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (table_name, row_key, column_name)
);
