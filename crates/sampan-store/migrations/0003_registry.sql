-- The ledger of the registry: what every repository holds, and how often it is needed. All times are in
-- microseconds since 1970, because they are compared. All counts and sums are kept by the triggers at the end,
-- so that no statement can forget them.

CREATE TABLE projects (
    id    INTEGER PRIMARY KEY,
    name  TEXT NOT NULL UNIQUE,
    bytes INTEGER NOT NULL DEFAULT 0  -- of all that its repositories hold, every digest once
) STRICT;

CREATE TABLE repositories (
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE,
    project INTEGER NOT NULL REFERENCES projects (id)
) STRICT;

-- The content that may lie in the blob store because of the registry. A row goes only after the file.
CREATE TABLE blobs (
    digest     TEXT PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    holders    INTEGER NOT NULL DEFAULT 0 CHECK (holders >= 0) -- links and manifests; without any: condemned
) STRICT, WITHOUT ROWID;

CREATE INDEX blobs_condemned ON blobs (digest) WHERE holders = 0;

-- What a project holds, in any of its repositories.
CREATE TABLE project_contents (
    project INTEGER NOT NULL REFERENCES projects (id),
    digest  TEXT NOT NULL,
    holders INTEGER NOT NULL CHECK (holders >= 0),
    PRIMARY KEY (project, digest)
) STRICT, WITHOUT ROWID;

-- The links: which blobs a repository holds.
CREATE TABLE repository_blobs (
    repository      INTEGER NOT NULL REFERENCES repositories (id),
    digest          TEXT NOT NULL,
    reference_count INTEGER NOT NULL CHECK (reference_count >= 0), -- manifests of the repository that name it
    idle_since      INTEGER NOT NULL,                              -- while there is none
    PRIMARY KEY (repository, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX repository_blobs_by_digest ON repository_blobs (digest, repository);
CREATE INDEX repository_blobs_idle ON repository_blobs (idle_since, repository, digest) WHERE reference_count = 0;

CREATE TABLE manifests (
    repository    INTEGER NOT NULL REFERENCES repositories (id),
    digest        TEXT NOT NULL,
    media_type    TEXT NOT NULL,
    artifact_type TEXT,
    subject       TEXT,
    annotations   TEXT,               -- a JSON object
    size_bytes    INTEGER NOT NULL,
    pushed_at     INTEGER NOT NULL,
    PRIMARY KEY (repository, digest)
) STRICT;

CREATE INDEX manifests_by_subject ON manifests (repository, subject, digest) WHERE subject IS NOT NULL;

-- What the manifests name, whether it is there or not.
CREATE TABLE manifest_children (
    repository INTEGER NOT NULL,
    manifest   TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('blob', 'manifest')),
    digest     TEXT NOT NULL,
    PRIMARY KEY (repository, manifest, kind, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX manifest_children_by_digest ON manifest_children (repository, digest, kind);

CREATE TABLE tags (
    repository INTEGER NOT NULL REFERENCES repositories (id),
    name       TEXT NOT NULL,
    digest     TEXT NOT NULL,
    pushed_at  INTEGER NOT NULL,
    PRIMARY KEY (repository, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX tags_by_digest ON tags (repository, digest, name);

-- Where the tags have pointed; of each tag the newest moves are kept.
CREATE TABLE tag_moves (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    repository INTEGER NOT NULL REFERENCES repositories (id),
    name       TEXT NOT NULL,
    previous   TEXT,                  -- absent: the tag was new
    digest     TEXT,                  -- absent: the tag was deleted
    actor      TEXT NOT NULL,
    at         INTEGER NOT NULL
) STRICT;

CREATE INDEX tag_moves_by_tag ON tag_moves (repository, name, id);

-- What has happened, for webhooks. The oldest rows are removed as new ones come.
CREATE TABLE events (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT NOT NULL,
    repository TEXT NOT NULL,
    digest     TEXT NOT NULL,
    tag        TEXT,
    media_type TEXT,
    size_bytes INTEGER,
    actor      TEXT NOT NULL,
    at         INTEGER NOT NULL
) STRICT;

CREATE TABLE webhooks (
    name TEXT PRIMARY KEY,
    seen INTEGER NOT NULL             -- every event up to this one has been delivered, tried or passed over
) STRICT, WITHOUT ROWID;

CREATE TABLE deliveries (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook         TEXT NOT NULL,
    event           INTEGER NOT NULL,
    attempt         INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    status          INTEGER,          -- the answer's, if there was one
    outcome         TEXT NOT NULL,    -- one line for people
    next_attempt_at INTEGER           -- absent: there will be none, or it has been made
) STRICT;

CREATE INDEX deliveries_by_event ON deliveries (event, webhook);
CREATE INDEX deliveries_by_webhook ON deliveries (webhook, id);
CREATE INDEX deliveries_due ON deliveries (webhook, next_attempt_at, id) WHERE next_attempt_at IS NOT NULL;

CREATE TRIGGER repository_blobs_added AFTER INSERT ON repository_blobs BEGIN
    UPDATE blobs SET holders = holders + 1 WHERE digest = new.digest;
    INSERT INTO project_contents (project, digest, holders)
        SELECT project, new.digest, 1 FROM repositories WHERE id = new.repository
        ON CONFLICT (project, digest) DO UPDATE SET holders = holders + 1;
END;

CREATE TRIGGER repository_blobs_removed AFTER DELETE ON repository_blobs BEGIN
    UPDATE blobs SET holders = holders - 1 WHERE digest = old.digest;
    UPDATE project_contents SET holders = holders - 1
        WHERE project = (SELECT project FROM repositories WHERE id = old.repository) AND digest = old.digest;
END;

CREATE TRIGGER manifests_added AFTER INSERT ON manifests BEGIN
    UPDATE blobs SET holders = holders + 1 WHERE digest = new.digest;
    INSERT INTO project_contents (project, digest, holders)
        SELECT project, new.digest, 1 FROM repositories WHERE id = new.repository
        ON CONFLICT (project, digest) DO UPDATE SET holders = holders + 1;
END;

CREATE TRIGGER manifests_removed AFTER DELETE ON manifests BEGIN
    UPDATE blobs SET holders = holders - 1 WHERE digest = old.digest;
    UPDATE project_contents SET holders = holders - 1
        WHERE project = (SELECT project FROM repositories WHERE id = old.repository) AND digest = old.digest;
END;

CREATE TRIGGER project_contents_added AFTER INSERT ON project_contents BEGIN
    UPDATE projects SET bytes = bytes + (SELECT size_bytes FROM blobs WHERE digest = new.digest)
        WHERE id = new.project;
END;

CREATE TRIGGER project_contents_released AFTER UPDATE OF holders ON project_contents WHEN new.holders = 0 BEGIN
    DELETE FROM project_contents WHERE project = new.project AND digest = new.digest;
    UPDATE projects SET bytes = bytes - (SELECT size_bytes FROM blobs WHERE digest = new.digest)
        WHERE id = new.project;
END;

CREATE TRIGGER manifest_children_added AFTER INSERT ON manifest_children WHEN new.kind = 'blob' BEGIN
    UPDATE repository_blobs SET reference_count = reference_count + 1
        WHERE repository = new.repository AND digest = new.digest;
END;

CREATE TRIGGER manifest_children_removed AFTER DELETE ON manifest_children WHEN old.kind = 'blob' BEGIN
    UPDATE repository_blobs SET reference_count = reference_count - 1
        WHERE repository = old.repository AND digest = old.digest;
END;
