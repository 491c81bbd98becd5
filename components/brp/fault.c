#include "components/brp/fault.h"

#include <string.h>

#define RFC "https://datatracker.ietf.org/doc/html/rfc7231#section-"
#define SUPPORTED "Ondersteunde content type: application/json; charset=utf-8."
#define UNKNOWN_MAX 20    /* parameters that are not expected and are told one by one */
#define SHOWN_NAME_MAX 40 /* characters */

static const struct {
    guint status;
    const char *section, *title, *detail, *code;
} FAULTS[] = {
    [BRP_FAULT_PARAMETERS] = {400, "6.5.1", "Een of meerdere parameters zijn niet correct.", "",
                              "paramsValidation"},
    [BRP_FAULT_TOO_MANY_FOUND] = {400, "6.5.1", "Teveel zoekresultaten.",
                                  "Meer dan maximum van 10 zoekresultaten gevonden. Verfijn de zoekopdracht.",
                                  "tooManyResults"},
    [BRP_FAULT_UNREADABLE] = {400, "6.5.1", "Het verzoek is niet te lezen.", "De body is geen geldige JSON.",
                              "invalidJson"},
    [BRP_FAULT_METHOD] = {405, "6.5.5", "Methode wordt niet ondersteund.", "Ondersteunde methode: POST.",
                          "methodNotAllowed"},
    [BRP_FAULT_NOT_ACCEPTABLE] = {406, "6.5.6", "Gevraagde content type wordt niet ondersteund.", SUPPORTED,
                                  "notAcceptable"},
    [BRP_FAULT_TOO_LARGE] = {413, "6.5.11", "Het verzoek is te groot.", "De body mag 64 KiB groot zijn.",
                             "payloadTooLarge"},
    [BRP_FAULT_MEDIA_TYPE] = {415, "6.5.13", "Media Type wordt niet ondersteund.", SUPPORTED,
                              "unsupportedMediaType"},
    [BRP_FAULT_INTERNAL] = {500, "6.6.1", "Interne server fout.",
                            "Er is iets misgegaan; het staat in ons log.", "serverError"},
    [BRP_FAULT_UNAVAILABLE] = {503, "6.6.4", "Bronservice BRP is tijdelijk niet beschikbaar.",
                               "Probeer het later opnieuw.", "notAvailable"},
};

guint brp_fault_status(BrpFault fault)
{
    return FAULTS[fault].status;
}

json_t *brp_fault(BrpFault fault, const char *detail, const char *instance)
{
    g_autofree char *type = g_strconcat(RFC, FAULTS[fault].section, NULL);
    return json_pack("{s:s, s:s, s:i, s:s, s:s, s:s}", "type", type, "title", FAULTS[fault].title, "status",
                     (int)FAULTS[fault].status, "detail", detail != NULL ? detail : FAULTS[fault].detail,
                     "code", FAULTS[fault].code, "instance", instance);
}

/* --- parameters --- */

typedef struct {
    char *name;
    gssize index;
    const char *code, *reason;
} Flaw;

struct brp_flaws {
    GPtrArray *list;
    guint unknown;
};

static void flaw_free(gpointer data)
{
    Flaw *flaw = data;
    g_free(flaw->name);
    g_free(flaw);
}

BrpFlaws *brp_flaws_new(void)
{
    BrpFlaws *flaws = g_new0(BrpFlaws, 1);
    flaws->list = g_ptr_array_new_with_free_func(flaw_free);
    return flaws;
}

void brp_flaws_free(BrpFlaws *flaws)
{
    if (flaws == NULL)
        return;
    g_ptr_array_unref(flaws->list);
    g_free(flaws);
}

void brp_flaws_add(BrpFlaws *flaws, const char *name, gssize index, const char *code, const char *reason)
{
    Flaw *flaw = g_new(Flaw, 1);
    *flaw = (Flaw){g_strdup(name), index, code, reason};
    g_ptr_array_add(flaws->list, flaw);
}

/* Like `gemeenteVanInschrijving`: a lower-case letter first, letters only. A number or a name of a person
 * that was sent in the wrong place is none. */
static gboolean looks_like_a_parameter(const char *name)
{
    gsize length = strlen(name);
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isalpha(name[i]))
            return FALSE;
    return length > 0 && length <= SHOWN_NAME_MAX && g_ascii_islower(name[0]);
}

void brp_flaws_add_unknown(BrpFlaws *flaws, const char *name)
{
    if (flaws->unknown++ < UNKNOWN_MAX)
        brp_flaws_add(flaws, looks_like_a_parameter(name) ? name : "onbekend", -1, "unknownParam",
                      "Parameter is niet verwacht.");
}

gboolean brp_flaws_any(const BrpFlaws *flaws)
{
    return flaws->list->len > 0;
}

static int compare_flaws(const void *a, const void *b)
{
    const Flaw *one = *(const Flaw *const *)a, *other = *(const Flaw *const *)b;
    int names = strcmp(one->name, other->name);
    return names != 0 ? names : (one->index > other->index) - (one->index < other->index);
}

static char *shown_name(const Flaw *flaw)
{
    return flaw->index < 0 ? g_strdup(flaw->name)
                           : g_strdup_printf("%s[%" G_GSSIZE_FORMAT "]", flaw->name, flaw->index);
}

json_t *brp_flaws_fault(const BrpFlaws *flaws, const char *instance)
{
    g_ptr_array_sort(flaws->list, compare_flaws);
    g_autoptr(GString) detail = g_string_new("De foutieve parameter(s) zijn: ");
    json_t *list = json_array();
    for (guint i = 0; i < flaws->list->len; i++) {
        const Flaw *flaw = g_ptr_array_index(flaws->list, i);
        g_autofree char *name = shown_name(flaw);
        g_string_append_printf(detail, "%s%s", i > 0 ? ", " : "", name);
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s}", "name", name, "code", flaw->code, "reason", flaw->reason));
    }
    g_string_append_c(detail, '.');
    json_t *fault = brp_fault(BRP_FAULT_PARAMETERS, detail->str, instance);
    json_object_set_new(fault, "invalidParams", list);
    return fault;
}
