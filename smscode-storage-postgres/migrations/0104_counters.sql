CREATE TABLE smscode.counters (
    owner uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    period text COLLATE "C" NOT NULL,
    value bigint NOT NULL CHECK (value >= 0),
    PRIMARY KEY (owner, name, period)
) WITH (fillfactor = 50)
