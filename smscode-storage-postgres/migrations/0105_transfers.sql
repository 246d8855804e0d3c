-- A place is available, held, debt, or house: and the name of a house account. time is in microseconds since 1970.
-- owner, number and the balances after it are null between house accounts; within one commit a balance may pass through
-- values that it could not end with.
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
    available bigint,
    held bigint,
    debt bigint,
    CHECK ((owner IS NULL) = (number IS NULL)),
    CHECK ((rest IS NULL) = (rest_amount IS NULL)),
    CHECK (debit <> credit)
)
