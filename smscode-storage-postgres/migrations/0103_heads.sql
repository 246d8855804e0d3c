-- Accounts: their money in minor units, and the numbers of their newest transfer and event.
CREATE TABLE smscode.heads (
    owner uuid PRIMARY KEY,
    currency text,
    available bigint NOT NULL CHECK (available >= 0),
    held bigint NOT NULL CHECK (held >= 0),
    debt bigint NOT NULL CHECK (debt <= 0),
    last_transfer bigint NOT NULL CHECK (last_transfer >= 0),
    last_event bigint NOT NULL CHECK (last_event >= 0)
) WITH (fillfactor = 50)
