-- The audit log is looked through by time, by who acted and by what was done; newest first, so that the id comes last.
CREATE INDEX node_audit_time ON node_audit (time_ms, id);
CREATE INDEX node_audit_actor ON node_audit (actor, id);
CREATE INDEX node_audit_action ON node_audit (action, id);
