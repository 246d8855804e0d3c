-- For reports, read only. Nothing here leads to a number or an SMS.
CREATE VIEW smscode_report.orders AS
SELECT
    r.owner AS account,
    body ->> 'state' AS state,
    body ->> 'service' AS service,
    (body ->> 'country')::integer AS country,
    body ->> 'supplier' AS supplier,
    (body ->> 'price_minor')::bigint AS price_minor,
    body ->> 'currency' AS currency,
    (body ->> 'revision')::bigint AS messages,
    to_timestamp((body ->> 'created_at')::bigint / 1000000.0) AS created_at,
    to_timestamp((body ->> 'first_sms_at')::bigint / 1000000.0) AS first_sms_at,
    to_timestamp((body ->> 'ended_at')::bigint / 1000000.0) AS ended_at,
    body ->> 'reason' AS reason
FROM (SELECT owner, body::jsonb AS body FROM smscode.records WHERE kind = 'order') r
