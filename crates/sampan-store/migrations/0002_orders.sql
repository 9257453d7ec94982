-- Orders: requests to bring an environment to a release. They are kept as the history of the environment.
CREATE TABLE orders (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    app          TEXT NOT NULL,
    environment  TEXT NOT NULL,
    version      TEXT NOT NULL,
    state        TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    requested_at TEXT NOT NULL,       -- RFC 3339
    changed_at   TEXT NOT NULL,       -- when it came to its state
    runner       TEXT,                -- the process that carries it out, while it runs
    outcome      TEXT,                -- one line for people, once it has ended
    body         TEXT NOT NULL        -- what is to be brought about
) STRICT;

CREATE INDEX orders_by_environment ON orders (app, environment, id);

-- One rollout at a time for each app and environment, whichever process asks.
CREATE UNIQUE INDEX orders_running ON orders (app, environment) WHERE state = 'running';
