#include "components/brp/query.h"

#include <stdlib.h>
#include <string.h>

#include "components/brp/fields.h"
#include "core/format/json.h"

#define BAD_REQUEST "https://datatracker.ietf.org/doc/html/rfc7231#section-6.5.1"
#define NAME_CHARACTERS "^[a-zA-Z0-9À-ž \\.\\-\\']{1,200}$|^[a-zA-Z0-9À-ž \\.\\-\\']{3,199}\\*{1}$"

/* --- the values, each with the reason that the API gives for a wrong one --- */

typedef struct {
    const char *code, *reason;
} Flaw;

static const Flaw *flaw_of_pattern(const json_t *value, const char *pattern, const Flaw *flaw)
{
    return json_is_string(value) && g_regex_match_simple(pattern, json_string_value(value), 0, 0) ? NULL
                                                                                                  : flaw;
}

static const Flaw *check_name(const json_t *value)
{
    static const Flaw FLAW = {"pattern", "Waarde voldoet niet aan patroon " NAME_CHARACTERS "."};
    return flaw_of_pattern(value, NAME_CHARACTERS, &FLAW);
}

static const Flaw *check_prefix(const json_t *value)
{
    static const Flaw FLAW = {"pattern", "Waarde voldoet niet aan patroon ^[a-zA-Z \\']{1,10}$."};
    return flaw_of_pattern(value, "^[a-zA-Z \\']{1,10}$", &FLAW);
}

static const Flaw *check_gender(const json_t *value)
{
    static const Flaw FLAW = {"pattern", "Waarde voldoet niet aan patroon ^([Mm]|[Vv]|[Oo])$."};
    return flaw_of_pattern(value, "^([Mm]|[Vv]|[Oo])$", &FLAW);
}

static const Flaw *check_municipality(const json_t *value)
{
    static const Flaw FLAW = {"pattern", "Waarde voldoet niet aan patroon ^[0-9]{4}$."};
    return flaw_of_pattern(value, "^[0-9]{4}$", &FLAW);
}

static const Flaw *check_boolean(const json_t *value)
{
    static const Flaw FLAW = {"boolean", "Waarde is geen boolean."};
    return json_is_boolean(value) ? NULL : &FLAW;
}

static const Flaw *check_date(const json_t *value)
{
    static const Flaw FLAW = {"date", "Waarde is geen geldige datum."};
    const Flaw *flaw = flaw_of_pattern(value, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", &FLAW);
    if (flaw != NULL)
        return flaw;
    const char *text = json_string_value(value);
    return g_date_valid_dmy((GDateDay)atoi(text + 8), (GDateMonth)atoi(text + 5), (GDateYear)atoi(text))
               ? NULL
               : &FLAW;
}

/* Faults of the list as a whole; those of its items are told one by one. */
static const Flaw *check_list(const json_t *value, gsize most)
{
    static const Flaw NOT_A_LIST = {"array", "Parameter is geen array."};
    static const Flaw TOO_FEW = {"minItems", "Array bevat minder dan 1 items."};
    static const Flaw TOO_MANY_BSNS = {"maxItems", "Array bevat meer dan 20 items."};
    static const Flaw TOO_MANY_FIELDS = {"maxItems", "Array bevat meer dan 130 items."};
    if (!json_is_array(value))
        return &NOT_A_LIST;
    if (json_array_size(value) == 0)
        return &TOO_FEW;
    if (json_array_size(value) > most)
        return most == BRP_MAX_BSNS ? &TOO_MANY_BSNS : &TOO_MANY_FIELDS;
    return NULL;
}

static const Flaw *check_bsns(const json_t *value)
{
    return check_list(value, BRP_MAX_BSNS);
}

static const Flaw *check_fields(const json_t *value)
{
    return check_list(value, BRP_MAX_FIELDS);
}

/* --- the parameters --- */

typedef struct {
    const char *name;         /* in alphabetical order */
    gboolean by_bsn, by_name; /* allowed in which question */
    gboolean required;
    const Flaw *(*check)(const json_t *value);
} Parameter;

static const Parameter PARAMETERS[] = {
    {"burgerservicenummer", TRUE, FALSE, TRUE, check_bsns},
    {"fields", TRUE, TRUE, TRUE, check_fields},
    {"geboortedatum", FALSE, TRUE, TRUE, check_date},
    {"gemeenteVanInschrijving", TRUE, TRUE, FALSE, check_municipality},
    {"geslacht", FALSE, TRUE, FALSE, check_gender},
    {"geslachtsnaam", FALSE, TRUE, TRUE, check_name},
    {"inclusiefOverledenPersonen", FALSE, TRUE, FALSE, check_boolean},
    {"voornamen", FALSE, TRUE, FALSE, check_name},
    {"voorvoegsel", FALSE, TRUE, FALSE, check_prefix},
};

static gboolean allowed(const Parameter *parameter, BrpQueryType type)
{
    return type == BRP_BY_BSN ? parameter->by_bsn : parameter->by_name;
}

static gboolean is_empty(const json_t *value)
{
    return value == NULL || json_is_null(value) || g_strcmp0(json_string_value(value), "") == 0;
}

json_t *brp_fault(guint status, const char *title, const char *detail, const char *code, const char *instance)
{
    json_t *fault =
        json_pack("{s:s, s:s, s:i, s:s, s:s}", "type", status == 400 ? BAD_REQUEST : "about:blank", "title",
                  title, "status", (int)status, "detail", detail, "instance", instance);
    if (code != NULL)
        json_object_set_new(fault, "code", json_string(code));
    return fault;
}

static void add_flaw(json_t *flaws, const char *name, const char *code, const char *reason)
{
    json_array_append_new(flaws, json_pack("{s:s, s:s, s:s}", "name", name, "code", code, "reason", reason));
}

static json_t *fault_of(json_t *flaws, gboolean combination, const char *instance)
{
    g_autoptr(GString) names = g_string_new("De foutieve parameter(s) zijn: ");
    for (gsize i = 0; i < json_array_size(flaws); i++)
        g_string_append_printf(names, "%s%s", i > 0 ? ", " : "",
                               json_string_at(json_array_get(flaws, i), "name"));
    g_string_append_c(names, '.');
    json_t *fault = brp_fault(400,
                              combination ? "Minimale combinatie van parameters moet worden opgegeven."
                                          : "Een of meerdere parameters zijn niet correct.",
                              names->str, combination ? "paramsCombination" : "paramsValidation", instance);
    json_object_set_new(fault, "invalidParams", flaws);
    return fault;
}

/* Those that must be there and are not. */
static json_t *missing_parameters(const json_t *body, BrpQueryType type)
{
    json_t *flaws = json_array();
    for (gsize i = 0; i < G_N_ELEMENTS(PARAMETERS); i++)
        if (PARAMETERS[i].required && allowed(&PARAMETERS[i], type) &&
            is_empty(json_object_get(body, PARAMETERS[i].name)))
            add_flaw(flaws, PARAMETERS[i].name, "required", "Parameter is verplicht.");
    return flaws;
}

static void check_items(json_t *flaws, const json_t *body, BrpQueryType type)
{
    gsize index;
    json_t *item;
    json_array_foreach(json_object_get(body, "burgerservicenummer"), index, item)
    {
        g_autofree char *name = g_strdup_printf("burgerservicenummer[%zu]", index);
        if (type == BRP_BY_BSN &&
            !(json_is_string(item) && g_regex_match_simple("^[0-9]{9}$", json_string_value(item), 0, 0)))
            add_flaw(flaws, name, "pattern", "Waarde voldoet niet aan patroon ^[0-9]{9}$.");
    }
    json_array_foreach(json_object_get(body, "fields"), index, item)
    {
        g_autofree char *name = g_strdup_printf("fields[%zu]", index);
        if (!json_is_string(item) ||
            !brp_field_exists(json_string_value(item), type == BRP_BY_NAME_AND_BIRTH))
            add_flaw(flaws, name, "fields", "Parameter bevat een niet bestaande veldnaam.");
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void check_unknown(json_t *flaws, const json_t *body, BrpQueryType type)
{
    g_autoptr(GPtrArray) unknown = g_ptr_array_new();
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)body, name, value)
    {
        gboolean known = strcmp(name, "type") == 0;
        for (gsize i = 0; i < G_N_ELEMENTS(PARAMETERS) && !known; i++)
            known = strcmp(name, PARAMETERS[i].name) == 0 && allowed(&PARAMETERS[i], type);
        if (!known)
            g_ptr_array_add(unknown, (gpointer)name);
    }
    g_ptr_array_sort(unknown, compare_names);
    for (guint i = 0; i < unknown->len; i++)
        add_flaw(flaws, g_ptr_array_index(unknown, i), "unknownParam", "Parameter is niet verwacht.");
}

static json_t *wrong_parameters(const json_t *body, BrpQueryType type)
{
    json_t *flaws = json_array();
    gboolean lists_are_fine = TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(PARAMETERS); i++) {
        const json_t *value = json_object_get(body, PARAMETERS[i].name);
        if (!allowed(&PARAMETERS[i], type) || is_empty(value))
            continue;
        const Flaw *flaw = PARAMETERS[i].check(value);
        if (flaw == NULL)
            continue;
        add_flaw(flaws, PARAMETERS[i].name, flaw->code, flaw->reason);
        lists_are_fine =
            lists_are_fine && PARAMETERS[i].check != check_bsns && PARAMETERS[i].check != check_fields;
    }
    if (lists_are_fine)
        check_items(flaws, body, type);
    check_unknown(flaws, body, type);
    return flaws;
}

static gboolean query_type(const json_t *body, BrpQueryType *type, const Flaw **flaw)
{
    static const struct {
        const char *name;
        BrpQueryType type;
    } TYPES[] = {{"RaadpleegMetBurgerservicenummer", BRP_BY_BSN},
                 {"ZoekMetGeslachtsnaamEnGeboortedatum", BRP_BY_NAME_AND_BIRTH}};
    static const Flaw MISSING = {"required", "Parameter is verplicht."};
    static const Flaw WRONG = {"value", "Waarde is geen geldig zoek type."};
    const json_t *name = json_object_get(body, "type");
    *flaw = is_empty(name) ? &MISSING : &WRONG;
    for (gsize i = 0; i < G_N_ELEMENTS(TYPES); i++) {
        if (g_strcmp0(json_string_value(name), TYPES[i].name) == 0) {
            *type = TYPES[i].type;
            return TRUE;
        }
    }
    return FALSE;
}

static char **strings_of(const json_t *list)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    gsize index;
    json_t *item;
    json_array_foreach(list, index, item) g_strv_builder_add(builder, json_string_value(item));
    return g_strv_builder_end(builder);
}

static char *text_of(const json_t *body, const char *name)
{
    const char *text = json_string_at(body, name);
    return text != NULL && text[0] != '\0' ? g_strdup(text) : NULL;
}

static BrpQuery *query_of(const json_t *body, BrpQueryType type)
{
    BrpQuery *query = g_new0(BrpQuery, 1);
    query->type = type;
    query->type_name =
        type == BRP_BY_BSN ? "RaadpleegMetBurgerservicenummer" : "ZoekMetGeslachtsnaamEnGeboortedatum";
    query->fields = strings_of(json_object_get(body, "fields"));
    query->bsns = strings_of(json_object_get(body, "burgerservicenummer"));
    query->surname = text_of(body, "geslachtsnaam");
    query->given_names = text_of(body, "voornamen");
    query->prefix = text_of(body, "voorvoegsel");
    query->gender = text_of(body, "geslacht");
    query->municipality = text_of(body, "gemeenteVanInschrijving");
    query->with_deceased = json_boolean_at(body, "inclusiefOverledenPersonen");
    const char *birth = json_string_at(body, "geboortedatum");
    if (birth != NULL)
        query->birth = g_strdup_printf("%.4s%.2s%.2s", birth, birth + 5, birth + 8);
    return query;
}

BrpQuery *brp_query_parse(const json_t *body, const char *instance, json_t **fault)
{
    *fault = NULL;
    BrpQueryType type;
    const Flaw *flaw = NULL;
    if (!query_type(body, &type, &flaw)) {
        json_t *flaws = json_array();
        add_flaw(flaws, "type", flaw->code, flaw->reason);
        *fault = fault_of(flaws, FALSE, instance);
        return NULL;
    }
    json_t *flaws = missing_parameters(body, type);
    gboolean combination = json_array_size(flaws) > 0;
    if (!combination) {
        json_decref(flaws);
        flaws = wrong_parameters(body, type);
    }
    if (json_array_size(flaws) > 0) {
        *fault = fault_of(flaws, combination, instance);
        return NULL;
    }
    json_decref(flaws);
    return query_of(body, type);
}

void brp_query_free(BrpQuery *query)
{
    if (query == NULL)
        return;
    g_strfreev(query->bsns);
    g_strfreev(query->fields);
    g_free(query->surname);
    g_free(query->birth);
    g_free(query->given_names);
    g_free(query->prefix);
    g_free(query->gender);
    g_free(query->municipality);
    g_free(query);
}
