CREATE VIEW smscode_report.transfers AS
SELECT
    owner AS account,
    number,
    kind,
    currency,
    amount AS amount_minor,
    debit,
    credit,
    rest,
    rest_amount AS rest_minor,
    subject,
    reason,
    actor,
    to_timestamp(time / 1000000.0) AS at,
    available AS available_after_minor,
    held AS held_after_minor,
    debt AS debt_after_minor
FROM smscode.transfers
