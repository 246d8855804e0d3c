CREATE TABLE smscode.events (
    owner uuid NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    time bigint NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (owner, number)
)
