CREATE VIEW smscode_report.accounts AS
SELECT
    r.owner AS account,
    to_timestamp((r.body ->> 'created_at')::bigint / 1000000.0) AS created_at,
    h.currency,
    coalesce(h.available, 0) AS available_minor,
    coalesce(h.held, 0) AS held_minor,
    coalesce(h.debt, 0) AS debt_minor,
    coalesce(h.last_transfer, 0) AS transfers
FROM (SELECT owner, body::jsonb AS body FROM smscode.records WHERE kind = 'account') r
LEFT JOIN smscode.heads h ON h.owner = r.owner
