-- ChangeSets of the last 48 hours with their answers, so that one sent again is answered and not applied again.
CREATE TABLE smscode.operations (
    id uuid PRIMARY KEY,
    time bigint NOT NULL,
    stored bytea NOT NULL
)
