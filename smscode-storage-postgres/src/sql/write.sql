-- All that a judged group changes, if every row that it was judged on is still as it was; else the statement fails as a
-- whole, on purpose, with a division by zero.
WITH
-- seen is null for a new row, version for one that goes, body for one that only must be as it was
r AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::bytea[], $4::int8[], $5::int8[], $6::text[], $7::bytea[])
    AS u (kind, owner, id, seen, version, body, terms)
),
p AS MATERIALIZED (
    SELECT * FROM unnest($8::bool[], $9::text[], $10::bytea[], $11::text[], $12::uuid[], $13::bytea[])
    AS u (new, name, at, kind, owner, id)
),
h AS MATERIALIZED (
    SELECT * FROM unnest(
        $14::uuid[], $15::int8[], $16::int8[], $17::text[], $18::int8[], $19::int8[], $20::int8[], $21::int8[], $22::int8[]
    ) AS u (owner, seen_transfer, seen_event, currency, available, held, debt, last_transfer, last_event)
),
c AS MATERIALIZED (
    SELECT * FROM unnest($23::uuid[], $24::text[], $25::text[], $26::int8[], $27::int8[])
    AS u (owner, name, period, seen, value)
),
records_kept AS (
    SELECT 1 FROM r JOIN smscode.records t
        ON t.kind = r.kind AND t.owner = r.owner AND t.id = r.id AND t.version = r.seen
    WHERE r.body IS NULL AND r.version IS NOT NULL
    FOR SHARE OF t
),
records_made AS (
    INSERT INTO smscode.records (kind, owner, id, version, body, terms)
    SELECT kind, owner, id, version, body, terms FROM r WHERE seen IS NULL
    ON CONFLICT DO NOTHING RETURNING 1
),
records_changed AS (
    UPDATE smscode.records t SET version = r.version, body = r.body, terms = r.terms
    FROM r
    WHERE t.kind = r.kind AND t.owner = r.owner AND t.id = r.id AND t.version = r.seen AND r.body IS NOT NULL
    RETURNING 1
),
records_gone AS (
    DELETE FROM smscode.records t USING r
    WHERE t.kind = r.kind AND t.owner = r.owner AND t.id = r.id AND t.version = r.seen AND r.version IS NULL
    RETURNING 1
),
places_gone AS (
    DELETE FROM smscode.terms t USING p
    WHERE t.name = p.name AND t.at = p.at AND t.kind = p.kind AND t.owner = p.owner AND t.id = p.id AND NOT p.new
),
-- once records and heads are as they were, nobody else has these places and events
places_made AS (
    INSERT INTO smscode.terms (name, at, kind, owner, id)
    SELECT name, at, kind, owner, id FROM p WHERE new
),
heads_made AS (
    INSERT INTO smscode.heads (owner, currency, available, held, debt, last_transfer, last_event)
    SELECT owner, currency, available, held, debt, last_transfer, last_event FROM h WHERE seen_transfer IS NULL
    ON CONFLICT DO NOTHING RETURNING 1
),
heads_changed AS (
    UPDATE smscode.heads t
    SET currency = h.currency, available = h.available, held = h.held, debt = h.debt,
        last_transfer = h.last_transfer, last_event = h.last_event
    FROM h
    WHERE t.owner = h.owner AND t.last_transfer = h.seen_transfer AND t.last_event = h.seen_event
    RETURNING 1
),
counters_made AS (
    INSERT INTO smscode.counters (owner, name, period, value)
    SELECT owner, name, period, value FROM c WHERE seen IS NULL
    ON CONFLICT DO NOTHING RETURNING 1
),
counters_changed AS (
    UPDATE smscode.counters t SET value = c.value
    FROM c
    WHERE t.owner = c.owner AND t.name = c.name AND t.period = c.period AND t.value = c.seen
    RETURNING 1
),
transfers_made AS (
    INSERT INTO smscode.transfers (
        id, owner, number, kind, currency, amount, debit, credit, rest, rest_amount, subject, reason, actor, time,
        available, held, debt
    )
    SELECT * FROM unnest(
        $28::bytea[], $29::uuid[], $30::int8[], $31::text[], $32::text[], $33::int8[], $34::text[], $35::text[],
        $36::text[], $37::int8[], $38::text[], $39::text[], $40::text[], $41::int8[], $42::int8[], $43::int8[], $44::int8[]
    )
    -- a twin on another account; an error of the server's own would show the id in its log
    ON CONFLICT DO NOTHING RETURNING 1
),
events_made AS (
    INSERT INTO smscode.events (owner, number, time, body)
    SELECT * FROM unnest($45::uuid[], $46::int8[], $47::int8[], $48::text[])
),
sums_changed AS (
    INSERT INTO smscode.sums AS t (line, currency, name, sum)
    SELECT pg_backend_pid() % 64, u.currency, u.name, u.by
    FROM unnest($49::text[], $50::text[], $51::int8[]) AS u (currency, name, by)
    ON CONFLICT (line, currency, name) DO UPDATE SET sum = t.sum + EXCLUDED.sum
),
operations_made AS (
    -- an id that is older than 48 hours means something new
    INSERT INTO smscode.operations AS t (id, time, stored)
    SELECT * FROM unnest($52::uuid[], $53::int8[], $54::bytea[])
    ON CONFLICT (id) DO UPDATE SET time = EXCLUDED.time, stored = EXCLUDED.stored
    WHERE t.time < EXCLUDED.time - 172800000000
    RETURNING 1
),
operations_gone AS (
    DELETE FROM smscode.operations
    WHERE id IN (SELECT id FROM smscode.operations WHERE time < $55 ORDER BY time LIMIT $56) AND id <> ALL ($52)
    RETURNING 1
)
SELECT
    (SELECT count(*) FROM operations_gone),
    1 / CASE WHEN
        (SELECT count(*) FROM records_kept) + (SELECT count(*) FROM records_made)
            + (SELECT count(*) FROM records_changed) + (SELECT count(*) FROM records_gone) = cardinality($1)
        AND (SELECT count(*) FROM heads_made) + (SELECT count(*) FROM heads_changed) = cardinality($14)
        AND (SELECT count(*) FROM counters_made) + (SELECT count(*) FROM counters_changed) = cardinality($23)
        AND (SELECT count(*) FROM transfers_made) = cardinality($28)
        AND (SELECT count(*) FROM operations_made) = cardinality($52)
    THEN 1 ELSE 0 END
