-- A place is available, held, debt, or house: and the name of a house account. time is in microseconds since 1970.
-- owner, number and the balances after it are null between house accounts.
CREATE TABLE smscode.transfers (
    id bytea PRIMARY KEY,
    owner uuid,
    number bigint,
    kind text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    debit text NOT NULL,
    credit text NOT NULL,
    rest text,
    rest_amount bigint CHECK (rest_amount > 0 AND rest_amount <= amount),
    subject text NOT NULL,
    reason text NOT NULL,
    actor text NOT NULL,
    time bigint NOT NULL,
    available bigint CHECK (available >= 0),
    held bigint CHECK (held >= 0),
    debt bigint CHECK (debt <= 0),
    CHECK ((owner IS NULL) = (number IS NULL)),
    CHECK ((rest IS NULL) = (rest_amount IS NULL)),
    CHECK (debit <> credit)
)
