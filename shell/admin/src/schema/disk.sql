-- Of each module, when it was saved and what the file said of it then.

CREATE TABLE IF NOT EXISTS saved_modules (
    module TEXT NOT NULL PRIMARY KEY,
    saved_at INT NOT NULL,
    file_checksum TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS global_settings (
    variable_name TEXT NOT NULL PRIMARY KEY,
    variable_value TEXT NOT NULL
) STRICT;
