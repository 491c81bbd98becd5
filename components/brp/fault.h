/* The API's own error format. Nothing that a caller sent stands in it, except names of parameters that look
 * like names of parameters. Pure. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* Everything that may be wrong besides single parameters. */
typedef enum {
    BRP_FAULT_PARAMETERS,
    BRP_FAULT_TOO_MANY_FOUND,
    BRP_FAULT_UNREADABLE,
    BRP_FAULT_METHOD,
    BRP_FAULT_NOT_ACCEPTABLE,
    BRP_FAULT_TOO_LARGE,
    BRP_FAULT_MEDIA_TYPE,
    BRP_FAULT_INTERNAL,
    BRP_FAULT_UNAVAILABLE
} BrpFault;

guint brp_fault_status(BrpFault fault);

/* {"type", "title", "status", "detail", "code", "instance"}; `detail` NULL for the usual one. New reference.
 */
json_t *brp_fault(BrpFault fault, const char *detail, const char *instance);

/* What is wrong with parameters: gathered in any order, told in that of their names. */
typedef struct brp_flaws BrpFlaws;

BrpFlaws *brp_flaws_new(void);
void brp_flaws_free(BrpFlaws *flaws);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BrpFlaws, brp_flaws_free)

/* `index` of an item of a list, or -1 for the parameter itself. `code` and `reason` are borrowed for ever. */
void brp_flaws_add(BrpFlaws *flaws, const char *name, gssize index, const char *code, const char *reason);
/* A parameter that is not expected; its name is only told when it looks like one. */
void brp_flaws_add_unknown(BrpFlaws *flaws, const char *name);
gboolean brp_flaws_any(const BrpFlaws *flaws);

/* The fault with "invalidParams": [{"name", "code", "reason"}]. New reference. */
json_t *brp_flaws_fault(const BrpFlaws *flaws, const char *instance);
