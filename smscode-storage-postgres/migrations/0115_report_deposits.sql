CREATE VIEW smscode_report.deposits AS
SELECT
    owner AS account,
    number,
    currency,
    amount AS amount_minor,
    debit AS clearing,
    subject,
    to_timestamp(time / 1000000.0) AS at
FROM smscode.transfers
WHERE kind = 'deposit'
