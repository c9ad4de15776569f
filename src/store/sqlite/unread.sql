-- Deliveries that could not be read: the newest of them.
CREATE TABLE unread (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    sha256 BLOB NOT NULL UNIQUE,
    door   TEXT NOT NULL,
    id     TEXT,
    why    TEXT NOT NULL,
    times  INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    bytes  INTEGER NOT NULL,
    body   BLOB NOT NULL
) STRICT;
CREATE INDEX unread_at ON unread (at);
