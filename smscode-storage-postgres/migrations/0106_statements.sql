CREATE UNIQUE INDEX statements ON smscode.transfers (owner, number)
