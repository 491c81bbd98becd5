#include "core/node/officer.h"

#include <string.h>

#include "core/base/error.h"
#include "core/net/page.h"
#include "core/net/phrases.h"
#include "core/net/problem.h"
#include "core/node/audit.h"
#include "core/node/node_private.h"

#define DATA_KEY "node.officer"
#define UNKNOWN_DIGITS 16 /* of the thumbprint, for the log: enough to tell keys apart */

const char *const officer_role_names[OFFICER_ROLE_COUNT + 1] = {"reader", "operator", "signer", NULL};

const char *officer_role_name(OfficerRole role)
{
    return officer_role_names[role];
}

gboolean officer_may(const Officer *officer, OfficerRole role)
{
    return role == OFFICER_READER ? officer->roles != 0 : (officer->roles & (1u << role)) != 0;
}

/* --- node.conf --- */

struct officers {
    GPtrArray *list; /* Officer* */
};

static void officer_free(gpointer data)
{
    Officer *officer = data;
    g_free(officer->id);
    g_free(officer->name);
    g_free(officer->thumbprint);
    g_free(officer);
}

static guint roles_of(const char *const *words)
{
    guint roles = 0;
    for (int role = 0; role < OFFICER_ROLE_COUNT; role++)
        if (g_strv_contains(words, officer_role_names[role]))
            roles |= 1u << role;
    return roles;
}

/* SHA-256 in hexadecimal; upper case and colons are taken as well, as other tools print them. NULL for
 * anything else. */
static char *thumbprint_read(const char *text)
{
    GString *digits = g_string_new(NULL);
    for (; text != NULL && *text != '\0'; text++)
        if (*text != ':')
            g_string_append_c(digits, g_ascii_isxdigit(*text) ? g_ascii_tolower(*text) : '?');
    gboolean good = digits->len == PUBLIC_KEY_THUMBPRINT_SIZE - 1 && strchr(digits->str, '?') == NULL;
    return g_string_free(digits, !good);
}

G_GNUC_PRINTF(4, 5)
static void fault(const Config *config, GPtrArray *faults, const char *section, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_ptr_array_add(faults, g_strdup_printf("%s: [%s] %s", config_path(config), section, text));
}

static void add_officer(Officers *officers, const Config *config, const char *id, GPtrArray *faults)
{
    g_autofree char *section = g_strconcat("officer.", id, NULL);
    g_autofree char *thumbprint = thumbprint_read(config_text(config, section, "thumbprint"));
    const char *name = config_text(config, section, "name");
    const Officer *other = thumbprint == NULL ? NULL : officers_find(officers, thumbprint);
    if (thumbprint == NULL)
        fault(config, faults, section,
              "thumbprint: expected 64 hexadecimal digits, as fundament pki officer prints them");
    if (other != NULL)
        fault(config, faults, section, "thumbprint: officer %s has this key already", other->id);
    if (config_text(config, "office", "anchors") == NULL)
        fault(config, faults, section,
              "an officer is known by a certificate of the internal authority: set [office] anchors");
    Officer *officer = g_new0(Officer, 1);
    officer->id = g_strdup(id);
    officer->name = g_strdup(name != NULL ? name : id);
    officer->thumbprint = thumbprint != NULL ? g_steal_pointer(&thumbprint) : g_strdup("");
    officer->roles = roles_of(config_list(config, section, "roles"));
    g_ptr_array_add(officers->list, officer);
}

Officers *officers_new(const Config *config, GPtrArray *faults)
{
    Officers *officers = g_new0(Officers, 1);
    officers->list = g_ptr_array_new_with_free_func(officer_free);
    if (config_text(config, "office", "address") != NULL && config_text(config, "office", "anchors") == NULL)
        fault(config, faults, "office",
              "anchors is missing: the internal authority of the officers' certificates");
    for (const char *const *id = config_family(config, "officer"); *id != NULL; id++)
        add_officer(officers, config, *id, faults);
    return officers;
}

void officers_free(Officers *officers)
{
    if (officers == NULL)
        return;
    g_ptr_array_unref(officers->list);
    g_free(officers);
}

const Officer *officers_find(const Officers *officers, const char *thumbprint)
{
    for (guint i = 0; i < officers->list->len; i++) {
        const Officer *officer = officers->list->pdata[i];
        if (strcmp(officer->thumbprint, thumbprint) == 0)
            return officer;
    }
    return NULL;
}

/* --- requests --- */

const Officer *officer_of(const Request *request)
{
    return request_get_data(request, DATA_KEY);
}

/* FALSE with the error when it could not be written down. */
static gboolean write_down(Node *node, const Request *request, const char *actor, const char *role,
                           const char *action, const char *object, const char *outcome, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(node), error);
    return db != NULL && audit_write(db, node_clock(node), actor, role, action, object, outcome,
                                     request_trace(request), error);
}

/* What was refused stays refused when it cannot be written down. */
static void write_refusal(Node *node, const Request *request, const char *actor, const char *role,
                          const char *action, const char *object)
{
    g_autoptr(GError) error = NULL;
    if (!write_down(node, request, actor, role, action, object, "refused", &error))
        g_warning("audit: %s", error->message);
}

/* Somebody of the organisation, but not an officer: the page shows what belongs in node.conf. */
static void refuse_unknown(Node *node, Request *request, const char *thumbprint)
{
    const char *language = request_language(request);
    g_autofree char *actor = g_strdup_printf("key:%.*s", UNKNOWN_DIGITS, thumbprint);
    write_refusal(node, request, actor, "none", "node.office.enter", request_path(request));
    respond_page(request, 403, "office_unknown", "office",
                 json_pack("{s:s, s:s, s:s}", "title", phrase(language, "office.unknown.title"), "lede",
                           phrase(language, "office.unknown.lede"), "thumbprint", thumbprint));
}

gboolean officer_admit(Node *node, Request *request, const Route *route)
{
    const Certificate *certificate = request_certificate(request);
    if (g_str_has_prefix(route->path, "/static/"))
        return TRUE; /* the page that refuses has a stylesheet too */
    const char *thumbprint = certificate == NULL ? "" : certificate_public_key_thumbprint(certificate);
    const Officer *officer = officers_find(node->officers, thumbprint);
    if (officer == NULL) {
        refuse_unknown(node, request, thumbprint);
        return FALSE;
    }
    request_set_data(request, DATA_KEY, (gpointer)officer, NULL);
    return TRUE;
}

static json_t *roles_json(const Officer *officer, const char *language)
{
    json_t *list = json_array();
    for (int role = 0; role < OFFICER_ROLE_COUNT; role++) {
        g_autofree char *key = g_strconcat("office.role.", officer_role_names[role], NULL);
        if ((officer->roles & (1u << role)) != 0)
            json_array_append_new(list, json_string(phrase(language, key)));
    }
    return list;
}

static void refuse_role(Request *request, const Officer *officer, OfficerRole role)
{
    const char *language = request_language(request);
    g_autofree char *key = g_strconcat("office.role.", officer_role_names[role], NULL);
    g_autofree char *lede =
        phrase_format(language, "office.role_missing.lede", "role", phrase(language, key), NULL);
    respond_page(request, 403, "office_role_missing", "office",
                 json_pack("{s:s, s:s, s:s, s:s, s:o}", "title",
                           phrase(language, "office.role_missing.title"), "lede", lede, "officer",
                           officer->id, "role", officer_role_names[role], "roles",
                           roles_json(officer, language)));
}

const Officer *officer_require(Request *request, OfficerRole role)
{
    const Officer *officer = officer_of(request);
    if (officer == NULL)
        page_problem(request, 403);
    else if (!officer_may(officer, role))
        refuse_role(request, officer, role);
    else
        return officer;
    return NULL;
}

const Officer *officer_enter(Node *node, Request *request, OfficerRole role, const char *action,
                             const char *object)
{
    g_autoptr(GError) error = NULL;
    const Officer *officer = officer_require(request, role);
    if (officer == NULL) {
        if (officer_of(request) != NULL)
            write_refusal(node, request, officer_of(request)->id, officer_role_names[role], action, object);
        return NULL;
    }
    if (write_down(node, request, officer->id, officer_role_names[role], action, object, "done", &error))
        return officer;
    g_warning("audit: %s", error->message);
    page_problem(request, 503);
    return NULL;
}
