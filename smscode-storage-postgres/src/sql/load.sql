-- Rows by key, of every table at once, each with the place of its key in the arrays.
SELECT 1::int2, u.n, r.version, 0::int8, 0::int8, 0::int8, 0::int8, r.body, r.terms, NULL::bytea
FROM unnest($1::text[], $2::uuid[], $3::bytea[]) WITH ORDINALITY u (kind, owner, id, n)
JOIN smscode.records r ON r.kind = u.kind AND r.owner = u.owner AND r.id = u.id
UNION ALL
SELECT 2::int2, u.n, h.available, h.held, h.debt, h.last_transfer, h.last_event, h.currency, NULL, NULL
FROM unnest($4::uuid[]) WITH ORDINALITY u (owner, n)
JOIN smscode.heads h ON h.owner = u.owner
UNION ALL
SELECT 3::int2, u.n, c.value, 0, 0, 0, 0, NULL, NULL, NULL
FROM unnest($5::uuid[], $6::text[], $7::text[]) WITH ORDINALITY u (owner, name, period, n)
JOIN smscode.counters c ON c.owner = u.owner AND c.name = u.name AND c.period = u.period
UNION ALL
SELECT 4::int2, u.n, 0, 0, 0, 0, 0, NULL, NULL, NULL
FROM unnest($8::bytea[]) WITH ORDINALITY u (id, n)
JOIN smscode.transfers t ON t.id = u.id
UNION ALL
SELECT 5::int2, u.n, 0, 0, 0, 0, 0, NULL, o.stored, NULL
FROM unnest($9::uuid[]) WITH ORDINALITY u (id, n)
JOIN smscode.operations o ON o.id = u.id
UNION ALL
SELECT 6::int2, u.n, f.version, 0, 0, 0, 0, f.body, f.terms, f.id
FROM unnest($10::text[], $11::uuid[]) WITH ORDINALITY u (kind, owner, n)
CROSS JOIN LATERAL (
    SELECT r.id, r.version, r.body, r.terms
    FROM smscode.records r
    WHERE r.kind = u.kind AND r.owner = u.owner
    ORDER BY r.id
    LIMIT $12
) f
