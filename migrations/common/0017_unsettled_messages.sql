-- Monitoring counts what is not settled every few seconds; nearly all messages are accepted.
CREATE INDEX messages_unsettled ON messages (state)
    WHERE state IN ('queued', 'sending', 'unknown', 'failed');
