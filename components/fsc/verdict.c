#include "components/fsc/verdict.h"

static const VerdictRow rows[] = {
#define X(name, http, code, message) {#name, http, code, message},
    FSC_VERDICT_TABLE(X)
#undef X
};

G_DEFINE_QUARK(fsc - verdict, fsc_verdict)

const VerdictRow *verdict_row(Verdict verdict)
{
    g_assert((gsize)verdict < G_N_ELEMENTS(rows));
    return &rows[verdict];
}

gboolean verdict_set(GError **error, Verdict verdict, const char *where)
{
    const char *message = verdict_row(verdict)->message;
    if (where == NULL)
        g_set_error_literal(error, FSC_VERDICT, (int)verdict, message);
    else
        g_set_error(error, FSC_VERDICT, (int)verdict, "%s: %s", where, message);
    return FALSE;
}

gboolean verdict_because(GError **error, Verdict verdict, const GError *why)
{
    return verdict_set(error, verdict, why != NULL ? why->message : NULL);
}
