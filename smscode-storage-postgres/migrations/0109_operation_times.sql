CREATE INDEX operation_times ON smscode.operations (time)
