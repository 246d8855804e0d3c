-- What house accounts hold and how many transfers there are, each in several lines that add up: no connection waits for
-- another's line.
CREATE TABLE smscode.sums (
    line integer NOT NULL,
    currency text NOT NULL,
    name text COLLATE "C" NOT NULL,
    sum numeric NOT NULL,
    PRIMARY KEY (line, currency, name)
) WITH (fillfactor = 50)
