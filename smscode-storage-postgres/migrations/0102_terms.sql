-- Places of records in indexes, in the order in which they are listed.
CREATE TABLE smscode.terms (
    name text COLLATE "C" NOT NULL,
    at bytea NOT NULL,
    kind text COLLATE "C" NOT NULL,
    owner uuid NOT NULL,
    id bytea NOT NULL,
    PRIMARY KEY (name, at, kind, owner, id)
)
