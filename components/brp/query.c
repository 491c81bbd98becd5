#include "components/brp/query.h"

#include <stdlib.h>
#include <string.h>

#include "components/brp/catalogue.h"
#include "components/brp/fault.h"
#include "core/format/json.h"

#define DOES_NOT_MATCH(pattern) "Waarde voldoet niet aan patroon " pattern "."
#define NAME_PATTERN "^[a-zA-Z0-9À-ž \\.\\-\\']{1,200}$|^[a-zA-Z0-9À-ž \\.\\-\\']{3,199}\\*{1}$"
#define GIVEN_NAMES_PATTERN "^[a-zA-Z0-9À-ž \\.\\-\\']{1,199}\\*{0,1}$"

/* --- values: each check gives what is wrong, or NULL --- */

typedef struct {
    const char *code, *reason;
} Reason;

typedef gboolean (*IsAllowed)(gunichar letter);

/* [a-zA-Z0-9À-ž .\-'] */
static gboolean is_name_letter(gunichar letter)
{
    return (letter < 0x80 && (g_ascii_isalnum((char)letter) || strchr(" .-'", (char)letter) != NULL)) ||
           (letter >= 0xC0 && letter <= 0x17E);
}

/* [a-zA-Z '] */
static gboolean is_prefix_letter(gunichar letter)
{
    return letter < 0x80 && (g_ascii_isalpha((char)letter) || strchr(" '", (char)letter) != NULL);
}

static gboolean is_digit(gunichar letter)
{
    return letter >= '0' && letter <= '9';
}

/* [a-zA-Z0-9._] */
static gboolean is_path_letter(gunichar letter)
{
    return letter < 0x80 && (g_ascii_isalnum((char)letter) || strchr("._", (char)letter) != NULL);
}

/* Between `least` and `most` characters of a kind, up to `length` bytes. A pattern would let a line feed slip
 * through at the end. */
static gboolean consists_of(const char *text, gsize length, IsAllowed is_allowed, glong least, glong most)
{
    const char *end = text + length;
    glong count = 0;
    for (const char *c = text; c < end; c = g_utf8_next_char(c), count++)
        if (count >= most || !is_allowed(g_utf8_get_char(c)))
            return FALSE;
    return count >= least;
}

static gboolean is_text_of(const json_t *value, IsAllowed is_allowed, glong least, glong most)
{
    return json_is_string(value) &&
           consists_of(json_string_value(value), json_string_length(value), is_allowed, least, most);
}

/* With a "*" at the end there must be at least `wild_least` characters before it. */
static gboolean is_name(const json_t *value, glong most, glong wild_least)
{
    const char *text = json_string_value(value);
    gsize length = json_string_length(value);
    if (text == NULL)
        return FALSE;
    if (length > 0 && text[length - 1] == '*')
        return consists_of(text, length - 1, is_name_letter, wild_least, 199);
    return consists_of(text, length, is_name_letter, 1, most);
}

static const Reason *check_surname(const json_t *value)
{
    static const Reason WRONG = {"pattern", DOES_NOT_MATCH(NAME_PATTERN)};
    return is_name(value, 200, 3) ? NULL : &WRONG;
}

static const Reason *check_given_names(const json_t *value)
{
    static const Reason WRONG = {"pattern", DOES_NOT_MATCH(GIVEN_NAMES_PATTERN)};
    return is_name(value, 199, 1) ? NULL : &WRONG;
}

static const Reason *check_prefix(const json_t *value)
{
    static const Reason WRONG = {"pattern", DOES_NOT_MATCH("^[a-zA-Z \\']{1,10}$")};
    return is_text_of(value, is_prefix_letter, 1, 10) ? NULL : &WRONG;
}

static const Reason *check_gender(const json_t *value)
{
    static const Reason WRONG = {"pattern", DOES_NOT_MATCH("^([Mm]|[Vv]|[Oo])$")};
    const char *text = json_string_value(value);
    return text != NULL && text[0] != '\0' && text[1] == '\0' && strchr("MmVvOo", text[0]) != NULL ? NULL
                                                                                                   : &WRONG;
}

static const Reason *check_municipality(const json_t *value)
{
    static const Reason WRONG = {"pattern", DOES_NOT_MATCH("^[0-9]{4}$")};
    return is_text_of(value, is_digit, 4, 4) ? NULL : &WRONG;
}

static const Reason *check_boolean(const json_t *value)
{
    static const Reason WRONG = {"boolean", "Waarde is geen boolean."};
    return json_is_boolean(value) ? NULL : &WRONG;
}

/* "YYYY-MM-DD" */
static const Reason *check_date(const json_t *value)
{
    static const Reason WRONG = {"date", "Waarde is geen geldige datum."};
    const char *text = json_string_value(value);
    if (text == NULL || json_string_length(value) != 10 || text[4] != '-' || text[7] != '-' ||
        !consists_of(text, 4, is_digit, 4, 4) || !consists_of(text + 5, 2, is_digit, 2, 2) ||
        !consists_of(text + 8, 2, is_digit, 2, 2))
        return &WRONG;
    return g_date_valid_dmy((GDateDay)atoi(text + 8), (GDateMonth)atoi(text + 5), (GDateYear)atoi(text))
               ? NULL
               : &WRONG;
}

static const Reason *check_list(const json_t *value, gsize most, const Reason *too_many)
{
    static const Reason NOT_A_LIST = {"array", "Parameter is geen array."};
    static const Reason TOO_FEW = {"minItems", "Array bevat minder dan 1 items."};
    if (!json_is_array(value))
        return &NOT_A_LIST;
    if (json_array_size(value) == 0)
        return &TOO_FEW;
    return json_array_size(value) > most ? too_many : NULL;
}

static const Reason *check_bsns(const json_t *value)
{
    static const Reason TOO_MANY = {"maxItems", "Array bevat meer dan 20 items."};
    return check_list(value, BRP_MAX_BSNS, &TOO_MANY);
}

static const Reason *check_fields(const json_t *value)
{
    static const Reason TOO_MANY = {"maxItems", "Array bevat meer dan 130 items."};
    return check_list(value, BRP_MAX_FIELDS, &TOO_MANY);
}

static const Reason *check_bsn(const json_t *value, BrpQueryType type)
{
    static const Reason WRONG = {"pattern", DOES_NOT_MATCH("^[0-9]{9}$")};
    return is_text_of(value, is_digit, 9, 9) ? NULL : &WRONG;
}

static const Reason *check_field(const json_t *value, BrpQueryType type)
{
    static const Reason WRONG = {"pattern", DOES_NOT_MATCH("^[a-zA-Z0-9\\._]{1,200}$")};
    static const Reason VERDICTS[] = {
        [BRP_FIELD_UNKNOWN] = {"fields", "Parameter bevat een niet bestaande veldnaam."},
        [BRP_FIELD_AUTOMATIC] = {"fields", "Parameter bevat een niet toegestane veldnaam."}};
    if (!is_text_of(value, is_path_letter, 1, 200))
        return &WRONG;
    BrpFieldVerdict verdict =
        brp_field_find(json_string_value(value), type == BRP_BY_NAME_AND_BIRTH, NULL, NULL);
    return verdict == BRP_FIELD_KNOWN ? NULL : &VERDICTS[verdict];
}

/* --- the parameters --- */

typedef struct {
    const char *name;
    gboolean by_bsn, by_name; /* allowed in which question */
    gboolean required;        /* for a text: and not empty */
    const Reason *(*check)(const json_t *value);
    const Reason *(*check_item)(const json_t *item, BrpQueryType type); /* of a list that is well itself */
} Parameter;

static const Parameter PARAMETERS[] = {
    {"burgerservicenummer", TRUE, FALSE, TRUE, check_bsns, check_bsn},
    {"fields", TRUE, TRUE, TRUE, check_fields, check_field},
    {"geboortedatum", FALSE, TRUE, TRUE, check_date, NULL},
    {"gemeenteVanInschrijving", TRUE, TRUE, FALSE, check_municipality, NULL},
    {"geslacht", FALSE, TRUE, FALSE, check_gender, NULL},
    {"geslachtsnaam", FALSE, TRUE, TRUE, check_surname, NULL},
    {"inclusiefOverledenPersonen", FALSE, TRUE, FALSE, check_boolean, NULL},
    {"voornamen", FALSE, TRUE, FALSE, check_given_names, NULL},
    {"voorvoegsel", FALSE, TRUE, FALSE, check_prefix, NULL},
};

static gboolean is_allowed(const Parameter *parameter, BrpQueryType type)
{
    return type == BRP_BY_BSN ? parameter->by_bsn : parameter->by_name;
}

static gboolean is_missing(const Parameter *parameter, const json_t *value)
{
    gboolean empty_text =
        parameter->check_item == NULL && json_is_string(value) && json_string_length(value) == 0;
    return value == NULL || json_is_null(value) || (parameter->required && empty_text);
}

static void check_parameter(BrpFlaws *flaws, const Parameter *parameter, const json_t *value,
                            BrpQueryType type)
{
    if (is_missing(parameter, value)) {
        if (parameter->required)
            brp_flaws_add(flaws, parameter->name, -1, "required", "Parameter is verplicht.");
        return;
    }
    const Reason *reason = parameter->check(value);
    if (reason != NULL) {
        brp_flaws_add(flaws, parameter->name, -1, reason->code, reason->reason);
        return;
    }
    for (gsize i = 0; parameter->check_item != NULL && i < json_array_size(value); i++) {
        reason = parameter->check_item(json_array_get(value, i), type);
        if (reason != NULL)
            brp_flaws_add(flaws, parameter->name, (gssize)i, reason->code, reason->reason);
    }
}

static gboolean is_expected(const char *name, BrpQueryType type)
{
    for (gsize i = 0; i < G_N_ELEMENTS(PARAMETERS); i++)
        if (strcmp(name, PARAMETERS[i].name) == 0)
            return is_allowed(&PARAMETERS[i], type);
    return strcmp(name, "type") == 0;
}

static void check_body(BrpFlaws *flaws, const json_t *body, BrpQueryType type)
{
    for (gsize i = 0; i < G_N_ELEMENTS(PARAMETERS); i++)
        if (is_allowed(&PARAMETERS[i], type))
            check_parameter(flaws, &PARAMETERS[i], json_object_get(body, PARAMETERS[i].name), type);
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)body, name, value) if (!is_expected(name, type))
        brp_flaws_add_unknown(flaws, name);
}

/* --- the question --- */

static const char *const TYPE_NAMES[] = {[BRP_BY_BSN] = "RaadpleegMetBurgerservicenummer",
                                         [BRP_BY_NAME_AND_BIRTH] = "ZoekMetGeslachtsnaamEnGeboortedatum"};

static gboolean read_type(BrpFlaws *flaws, const json_t *body, BrpQueryType *type)
{
    const json_t *name = json_object_get(body, "type");
    for (gsize i = 0; i < G_N_ELEMENTS(TYPE_NAMES); i++) {
        if (g_strcmp0(json_string_value(name), TYPE_NAMES[i]) == 0) {
            *type = (BrpQueryType)i;
            return TRUE;
        }
    }
    if (name == NULL || json_is_null(name))
        brp_flaws_add(flaws, "type", -1, "required", "Parameter is verplicht.");
    else
        brp_flaws_add(flaws, "type", -1, "value", "Waarde is geen geldig zoek type.");
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

static BrpQuery *query_of(const json_t *body, BrpQueryType type)
{
    BrpQuery *query = g_new0(BrpQuery, 1);
    const char *birth = json_string_at(body, "geboortedatum"), *gender = json_string_at(body, "geslacht");
    query->type = type;
    query->type_name = TYPE_NAMES[type];
    query->fields = strings_of(json_object_get(body, "fields"));
    query->bsns = strings_of(json_object_get(body, "burgerservicenummer"));
    query->surname = g_strdup(json_string_at(body, "geslachtsnaam"));
    query->given_names = g_strdup(json_string_at(body, "voornamen"));
    query->prefix = g_strdup(json_string_at(body, "voorvoegsel"));
    query->gender = gender != NULL ? g_ascii_strup(gender, -1) : NULL;
    query->municipality = g_strdup(json_string_at(body, "gemeenteVanInschrijving"));
    query->with_deceased = json_boolean_at(body, "inclusiefOverledenPersonen");
    query->birth = birth != NULL ? g_strdup_printf("%.4s%.2s%.2s", birth, birth + 5, birth + 8) : NULL;
    return query;
}

BrpQuery *brp_query_parse(const json_t *body, const char *instance, json_t **fault)
{
    g_autoptr(BrpFlaws) flaws = brp_flaws_new();
    BrpQueryType type = BRP_BY_BSN;
    *fault = NULL;
    if (read_type(flaws, body, &type))
        check_body(flaws, body, type);
    if (!brp_flaws_any(flaws))
        return query_of(body, type);
    *fault = brp_flaws_fault(flaws, instance);
    return NULL;
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
