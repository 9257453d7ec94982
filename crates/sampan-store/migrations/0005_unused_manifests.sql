-- Since when no tag, no other manifest and no subject needs a manifest; while one does, it means nothing. What was there
-- before counts from now on: nobody knows when it lost its last tag.
ALTER TABLE manifests ADD COLUMN unused_since INTEGER NOT NULL DEFAULT 0;

UPDATE manifests SET unused_since = unixepoch() * 1000000;
