-- The objects of the engine's API as they are now.
CREATE TABLE objects (
    api_group TEXT NOT NULL,
    resource  TEXT NOT NULL,
    namespace TEXT NOT NULL,          -- empty: not in a namespace
    name      TEXT NOT NULL,
    revision  INTEGER NOT NULL,       -- of the change that made this body
    body      TEXT NOT NULL,
    PRIMARY KEY (api_group, resource, namespace, name)
) STRICT;

-- What happened to them, newest last. The oldest rows are removed as new ones come. AUTOINCREMENT, because a
-- revision must never be given twice, not even after the rows that had it are gone.
CREATE TABLE changes (
    revision          INTEGER PRIMARY KEY AUTOINCREMENT,
    api_group         TEXT NOT NULL,
    resource          TEXT NOT NULL,
    namespace         TEXT NOT NULL,
    name              TEXT NOT NULL,
    kind              TEXT NOT NULL CHECK (kind IN ('created', 'updated', 'deleted')),
    body              TEXT NOT NULL,  -- after the change; the last one when deleted
    previous          TEXT,           -- before it; absent when created
    previous_revision INTEGER
) STRICT;

CREATE INDEX changes_by_key ON changes (api_group, resource, namespace, name, revision);
