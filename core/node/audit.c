#include "core/node/audit.h"

gboolean audit_write(Db *db, const Clock *clock, const char *actor, const char *role, const char *action,
                     const char *object, const char *outcome, const TraceContext *trace, GError **error)
{
    return db_run(db, error,
                  "INSERT INTO node_audit (time_ms, actor, role, action, object, outcome, trace_id)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                  value_integer(clock_now_ms(clock)), value_text(actor), value_text(role), value_text(action),
                  value_text(object), value_text(outcome),
                  value_text(trace == NULL ? NULL : trace->trace_id));
}
