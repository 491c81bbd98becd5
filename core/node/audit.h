/* The audit log of administrators and officers (decisions.md 20): who, in which role, did what, with what
 * outcome, in which trace. Append-only; the processing log may hold no employee (LDV 1.0.0, 2.3.4), so this
 * is where they are. */
#pragma once

#include "core/node/node.h"

/* `actor` e.g. "uid:0" or a certificate's common name; `action` e.g. "fsc.contract.revoke"; `object` an id,
 * never a BSN. The act must not happen when this fails: call it before, with outcome "begun", or inside the
 * same transaction. */
gboolean audit_write(Db *db, const Clock *clock, const char *actor, const char *role, const char *action,
                     const char *object, const char *outcome, const TraceContext *trace, GError **error);
