-- Documents of core, as it wrote them: text, because jsonb would rewrite them. terms is what stands in smscode.terms.
CREATE TABLE smscode.records (
    kind text COLLATE "C" NOT NULL,
    owner uuid NOT NULL,
    id bytea NOT NULL,
    version bigint NOT NULL,
    body text NOT NULL,
    terms bytea NOT NULL,
    PRIMARY KEY (kind, owner, id)
)
