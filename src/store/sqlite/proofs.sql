CREATE TABLE proof (
    project TEXT PRIMARY KEY,
    body    TEXT NOT NULL
) STRICT;
