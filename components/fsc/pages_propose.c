/* Proposing a contract: choose what kind, fill in a form, see what it says, sign. */
#include "components/fsc/pages.h"

#include <string.h>

#include "components/fsc/verdict.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/format/json.h"
#include "core/net/page.h"
#include "core/net/phrases.h"

#define DAY_S 86400
#define YEAR_DAYS 365
#define FIELD_MAX 200

typedef enum { FIELD_SERVICE, FIELD_OIN, FIELD_DAY, FIELD_KEY, FIELD_PROTOCOL } FieldKind;

/* A field of the forms. */
typedef struct {
    const char *name; /* in the form; its words are fsc.propose.<name> and fsc.propose.<name>.help */
    FieldKind kind;
} Field;

enum { SERVICE, PROVIDER, CONSUMER, DELEGATOR, DIRECTORY, PROTOCOL, THUMBPRINT, FROM, TO, N_FIELDS };

static const Field fields[N_FIELDS] = {
    [SERVICE] = {"dienst", FIELD_SERVICE},
    [PROVIDER] = {"aanbieder", FIELD_OIN},
    [CONSUMER] = {"afnemer", FIELD_OIN},
    [DELEGATOR] = {"opdrachtgever", FIELD_OIN},
    [DIRECTORY] = {"gids", FIELD_OIN},
    [PROTOCOL] = {"protocol", FIELD_PROTOCOL},
    [THUMBPRINT] = {"sleutel", FIELD_KEY},
    [FROM] = {"van", FIELD_DAY},
    [TO] = {"tot", FIELD_DAY},
};

/* Which fields each type of grant has. */
typedef struct {
    const char *value; /* ?soort= */
    GrantType type;
    guint fields; /* bits */
} Form;

#define BIT(field) (1u << (field))
#define ALWAYS (BIT(SERVICE) | BIT(FROM) | BIT(TO))

static const Form forms[] = {
    {"connection", GRANT_SERVICE_CONNECTION, ALWAYS | BIT(PROVIDER)},
    {"publication", GRANT_SERVICE_PUBLICATION, ALWAYS | BIT(DIRECTORY) | BIT(PROTOCOL)},
    {"delegated_connection", GRANT_DELEGATED_SERVICE_CONNECTION,
     ALWAYS | BIT(PROVIDER) | BIT(CONSUMER) | BIT(THUMBPRINT) | BIT(DELEGATOR)},
    {"delegated_publication", GRANT_DELEGATED_SERVICE_PUBLICATION,
     ALWAYS | BIT(PROVIDER) | BIT(DELEGATOR) | BIT(DIRECTORY) | BIT(PROTOCOL)},
};

static const Form *form_find(const char *value)
{
    for (gsize i = 0; value != NULL && i < G_N_ELEMENTS(forms); i++)
        if (strcmp(value, forms[i].value) == 0)
            return &forms[i];
    return NULL;
}

typedef struct {
    const Form *form;
    char *values[N_FIELDS]; /* as typed, without white space around them; "" when empty */
    gboolean wrong[N_FIELDS];
    const char *reason; /* of all of it together, or NULL */
} Entry;

static void entry_clear(Entry *entry)
{
    for (gsize i = 0; i < N_FIELDS; i++)
        g_free(entry->values[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Entry, entry_clear)

/* --- reading it --- */

static gboolean key_valid(const char *text)
{
    return strlen(text) == PUBLIC_KEY_THUMBPRINT_SIZE - 1 && strspn(text, "0123456789abcdef") == strlen(text);
}

static gboolean value_fits(const Field *field, const char *value)
{
    gint64 day;
    switch (field->kind) {
    case FIELD_SERVICE:
        return fsc_service_name_valid(value);
    case FIELD_OIN:
        return oin_valid(value);
    case FIELD_DAY:
        return office_day(value, &day);
    case FIELD_KEY:
        return key_valid(value);
    case FIELD_PROTOCOL:
        return strcmp(value, FSC_PROTOCOL_HTTP_1) == 0 || strcmp(value, FSC_PROTOCOL_HTTP_2) == 0;
    }
    return FALSE;
}

static gboolean asks_for(const Form *form, gsize field)
{
    return (form->fields & BIT(field)) != 0;
}

/* TRUE when every field fits. */
static gboolean entry_check(Entry *entry)
{
    gboolean good = TRUE;
    gint64 from = 0, to = 0;
    for (gsize i = 0; i < N_FIELDS; i++) {
        entry->wrong[i] = asks_for(entry->form, i) && !value_fits(&fields[i], entry->values[i]);
        good = good && !entry->wrong[i];
    }
    if (good && office_day(entry->values[FROM], &from) && office_day(entry->values[TO], &to) && to < from)
        entry->wrong[TO] = TRUE;
    return good && !entry->wrong[TO];
}

static void entry_read(Entry *entry, const json_t *form)
{
    for (gsize i = 0; i < N_FIELDS; i++) {
        const char *value = json_string_at(form, fields[i].name);
        entry->values[i] = g_strstrip(g_strndup(value != NULL ? value : "", FIELD_MAX));
    }
}

static char *day_text(gint64 seconds)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(OFFICE_TIME_ZONE);
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(seconds);
    g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, zone);
    return g_date_time_format(local, "%Y-%m-%d");
}

/* What is likely: ourselves, our key, from today for a year; the rest from the address, for links from other
 * pages. */
static void entry_suggest(Entry *entry, const Fsc *fsc, const Request *request)
{
    const Certificate *outway = node_certificate(fsc->node, ROLE_OUTWAY);
    gint64 now = fsc_now_s(fsc);
    for (gsize i = 0; i < N_FIELDS; i++) {
        const char *given = request_query(request, fields[i].name);
        entry->values[i] = g_strndup(given != NULL ? given : "", FIELD_MAX);
    }
    char *suggested[N_FIELDS] = {
        [CONSUMER] =
            g_strdup(entry->form->type == GRANT_DELEGATED_SERVICE_CONNECTION ? node_oin(fsc->node) : ""),
        [THUMBPRINT] = g_strdup(outway != NULL ? certificate_public_key_thumbprint(outway) : ""),
        [PROVIDER] =
            g_strdup(entry->form->type == GRANT_DELEGATED_SERVICE_PUBLICATION ? node_oin(fsc->node) : ""),
        [DIRECTORY] = g_strdup(fsc->directory != NULL ? fsc->directory : ""),
        [PROTOCOL] = g_strdup(FSC_PROTOCOL_HTTP_1),
        [FROM] = day_text(now),
        [TO] = day_text(now + (gint64)YEAR_DAYS * DAY_S),
    };
    for (gsize i = 0; i < N_FIELDS; i++)
        if (entry->values[i][0] == '\0' && suggested[i] != NULL) {
            g_free(entry->values[i]);
            entry->values[i] = g_steal_pointer(&suggested[i]);
        } else {
            g_free(suggested[i]);
        }
}

/* --- from the form to a grant (FSC Core 2.0.0, 4.2.1.1 to 4.2.1.4) --- */

static json_t *publication_of(const Fsc *fsc, const Entry *entry)
{
    gboolean delegated = entry->form->type == GRANT_DELEGATED_SERVICE_PUBLICATION;
    json_t *data =
        json_pack("{s:s, s:{s:s}, s:{s:s, s:s, s:s}}", "type", grant_type_row(entry->form->type)->name,
                  "directory", "peer_id", entry->values[DIRECTORY], "service", "peer_id",
                  delegated ? entry->values[PROVIDER] : node_oin(fsc->node), "name", entry->values[SERVICE],
                  "protocol", entry->values[PROTOCOL]);
    if (delegated)
        json_object_set_new(data, "delegator", json_pack("{s:s}", "peer_id", entry->values[DELEGATOR]));
    return data;
}

static json_t *connection_of(const Fsc *fsc, const Entry *entry)
{
    gboolean delegated = entry->form->type == GRANT_DELEGATED_SERVICE_CONNECTION;
    const Certificate *outway = node_certificate(fsc->node, ROLE_OUTWAY);
    const char *own_key = outway != NULL ? certificate_public_key_thumbprint(outway) : "";
    json_t *data = json_pack(
        "{s:s, s:{s:s, s:{s:s, s:s}}, s:{s:s, s:s, s:s}}", "type", grant_type_row(entry->form->type)->name,
        "outway", "peer_id", delegated ? entry->values[CONSUMER] : node_oin(fsc->node), "identification",
        "type", "OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT", "public_key_thumbprint",
        delegated ? entry->values[THUMBPRINT] : own_key, "service", "type", "SERVICE_TYPE_SERVICE", "peer_id",
        entry->values[PROVIDER], "name", entry->values[SERVICE]);
    if (delegated)
        json_object_set_new(data, "delegator", json_pack("{s:s}", "peer_id", entry->values[DELEGATOR]));
    return data;
}

static json_t *grant_of(const Fsc *fsc, const Entry *entry)
{
    return grant_type_row(entry->form->type)->publication ? publication_of(fsc, entry)
                                                          : connection_of(fsc, entry);
}

/* From the first moment of the first day, or now, to the last moment of the last. */
static void period_of(const Fsc *fsc, const Entry *entry, gint64 *not_before, gint64 *not_after)
{
    (void)office_day(entry->values[FROM], not_before);
    (void)office_day(entry->values[TO], not_after);
    *not_after += DAY_S - 1;
    *not_before = MAX(*not_before, MIN(fsc_now_s(fsc), *not_after - 1));
}

/* --- pages --- */

static json_t *choices(const FscView *view)
{
    json_t *list = json_array();
    for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autofree char *name = g_strconcat("fsc.type.", forms[i].value, NULL);
        g_autofree char *help = g_strconcat("fsc.propose.type.", forms[i].value, NULL);
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s}", "value", forms[i].value, "text",
                                        phrase(view->language, name), "help", phrase(view->language, help)));
    }
    return list;
}

static json_t *field_json(const FscView *view, const Entry *entry, gsize i)
{
    static const char *const inputs[] = {[FIELD_DAY] = "date"};
    const Field *field = &fields[i];
    const char *input =
        field->kind < G_N_ELEMENTS(inputs) && inputs[field->kind] != NULL ? inputs[field->kind] : "text";
    g_autofree char *label = g_strconcat("fsc.propose.", field->name, NULL);
    g_autofree char *help = g_strconcat("fsc.propose.", field->name, ".help", NULL);
    g_autofree char *wrong = g_strconcat("fsc.propose.", field->name, ".wrong", NULL);
    const char *help_text = phrase(view->language, help);
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s, s:b}", "name", field->name, "label", phrase(view->language, label),
                  "value", entry->values[i], "input", input, "protocol", field->kind == FIELD_PROTOCOL);
    if (strcmp(help_text, help) != 0)
        json_object_set_new(object, "help", json_string(help_text));
    if (entry->wrong[i])
        json_object_set_new(object, "wrong", json_string(phrase(view->language, wrong)));
    return object;
}

static json_t *field_list(const FscView *view, const Entry *entry)
{
    json_t *list = json_array();
    for (gsize i = 0; i < N_FIELDS; i++)
        if (asks_for(entry->form, i))
            json_array_append_new(list, field_json(view, entry, i));
    return list;
}

static void show_form(const FscView *view, const Entry *entry, guint status)
{
    json_t *page = fsc_view_page(view, NULL, "propose");
    office_breadcrumb(page, "/contracten", fsc_view_phrase(view, "nav.contracts"));
    if (entry->form == NULL) {
        json_object_set_new(page, "choices", choices(view));
    } else {
        g_autofree char *name = g_strconcat("fsc.type.", entry->form->value, NULL);
        json_object_set_new(page, "kind", json_string(entry->form->value));
        json_object_set_new(page, "kind_text", json_string(phrase(view->language, name)));
        json_object_set_new(page, "fields", field_list(view, entry));
    }
    json_object_set_new(page, "failed", json_boolean(status != 200));
    if (entry->reason != NULL)
        json_object_set_new(page, "reason", json_string(entry->reason));
    respond_page(view->request, status, "fsc_propose", "fsc", page);
}

static void show_check(FscView *view, const Entry *entry)
{
    json_t *page = fsc_view_page(view, NULL, "propose_check"), *hidden = json_array();
    gint64 from, to;
    period_of(view->fsc, entry, &from, &to);
    g_autoptr(json_t) data = grant_of(view->fsc, entry);
    const char *service = entry->values[SERVICE];
    Grant grant = {.type = entry->form->type,
                   .data = data,
                   .service_name = service,
                   .service_peer_id = json_string_at(json_object_get(data, "service"), "peer_id"),
                   .directory_peer_id = json_string_at(json_object_get(data, "directory"), "peer_id"),
                   .outway_peer_id = json_string_at(json_object_get(data, "outway"), "peer_id"),
                   .delegator = json_string_at(json_object_get(data, "delegator"), "peer_id")};
    g_autofree char *sentence = fsc_view_grant(view, &grant), *from_text = fsc_view_date(view, from),
                    *to_text = fsc_view_date(view, to);
    for (gsize i = 0; i < N_FIELDS; i++)
        if (asks_for(entry->form, i))
            json_array_append_new(hidden,
                                  json_pack("{s:s, s:s}", "name", fields[i].name, "value", entry->values[i]));
    office_breadcrumb(page, "/contracten", fsc_view_phrase(view, "nav.contracts"));
    json_object_set_new(page, "text", json_string(sentence));
    json_object_set_new(page, "from", json_string(from_text));
    json_object_set_new(page, "to", json_string(to_text));
    json_object_set_new(page, "kind", json_string(entry->form->value));
    json_object_set_new(page, "hidden", hidden);
    json_object_set_new(page, "four_eyes",
                        json_boolean(config_boolean(node_config(view->fsc->node), "fsc", "four_eyes")));
    fsc_view_answer(view, "propose_check", page);
}

void fsc_page_propose(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(FscView) view = fsc_view_new(fsc, request);
    g_auto(Entry) entry = {.form = form_find(request_query(request, "soort"))};
    if (officer_enter(fsc->node, request, OFFICER_SIGNER, "fsc.propose.look", "") == NULL)
        return;
    if (entry.form != NULL)
        entry_suggest(&entry, fsc, request);
    show_form(view, &entry, 200);
}

static void propose(FscView *view, Entry *entry)
{
    gint64 from, to;
    SigningOutcome outcome;
    g_autoptr(GError) error = NULL;
    SigningActor actor = {officer_of(view->request)->id, officer_role_name(OFFICER_SIGNER),
                          request_trace(view->request)};
    period_of(view->fsc, entry, &from, &to);
    g_autoptr(Contract) contract =
        signing_propose(view->fsc, grant_of(view->fsc, entry), from, to, &actor, &outcome, &error);
    if (contract != NULL) {
        g_autofree char *path = fsc_view_contract_path(contract->hash);
        g_autofree char *next =
            g_strconcat(path, "?gedaan=", outcome == SIGNING_PLACED ? "propose" : "intended", NULL);
        respond_see_other(view->request, next);
    } else if (error->domain == FSC_VERDICT || error->code == FUNDAMENT_ERROR_RULE) {
        entry->reason = error->message;
        show_form(view, entry, 422);
    } else {
        fsc_view_fail(view, error, "/contracten");
    }
}

void fsc_page_propose_post(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(FscView) view = fsc_view_new(fsc, request);
    g_autoptr(json_t) form = office_form(fsc->node, request, OFFICER_SIGNER, "fsc.contract.propose");
    if (form == NULL)
        return;
    g_auto(Entry) entry = {.form = form_find(json_string_at(form, "soort"))};
    if (entry.form == NULL) {
        page_problem(request, 400);
        return;
    }
    entry_read(&entry, form);
    if (!entry_check(&entry) || g_strcmp0(json_string_at(form, "stap"), "terug") == 0)
        show_form(view, &entry, g_strcmp0(json_string_at(form, "stap"), "terug") == 0 ? 200 : 422);
    else if (g_strcmp0(json_string_at(form, "stap"), "teken") == 0)
        propose(view, &entry);
    else
        show_check(view, &entry);
}
