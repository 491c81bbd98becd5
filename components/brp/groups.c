#include "components/brp/groups.h"

#include "components/brp/investigation.h"
#include "components/brp/mapping.h"
#include "components/brp/name.h"
#include "core/format/json.h"

#define SINCE "datumIngangOnderzoek"

static const BrpMapping NAME[] = {
    {"voornamen", "voornamen", BRP_TEXT},
    {"adellijkeTitelPredicaat", "adellijkeTitelPredicaat", BRP_CODE},
    {"voorvoegsel", "voorvoegsel", BRP_TEXT},
    {"geslachtsnaam", "geslachtsnaam", BRP_TEXT},
};
static const BrpElements NAME_ELEMENTS[] = {
    {"voornamen", "0210"},   {"adellijkeTitelPredicaat", "0220"},
    {"voorvoegsel", "0230"}, {"geslachtsnaam", "0240"},
    {"voorletters", "0210"},
};

void brp_set(json_t *target, const char *name, json_t *value)
{
    if (value != NULL)
        json_object_set_new(target, name, value);
}

/* A group that the source has stays, however little of it can be told: that it exists is told as well. */
static json_t *unless_absent(json_t *group, const json_t *source)
{
    if (json_object_size(source) > 0 || json_object_size(group) > 0)
        return group;
    json_decref(group);
    return NULL;
}

static json_t *any_name(const json_t *source, BrpDoubt doubt)
{
    json_t *name = json_object();
    BRP_MAP(name, source, NAME);
    g_autofree char *initials = brp_initials(json_string_at(source, "voornamen"));
    brp_set_text(name, "voorletters", initials);
    brp_investigation_mark(name, doubt.investigation, doubt.categories, NAME_ELEMENTS,
                           G_N_ELEMENTS(NAME_ELEMENTS), SINCE);
    return name;
}

json_t *brp_relative_name(const json_t *source, BrpDoubt doubt)
{
    return unless_absent(any_name(source, doubt), source);
}

json_t *brp_person_name(const json_t *source, BrpGender gender, BrpDoubt doubt)
{
    static const BrpMapping USAGE[] = {{"aanduidingNaamgebruik", "aanduidingNaamgebruik", BRP_CODE}};
    static const BrpElements ELEMENTS[] = {{"volledigeNaam", "0210 0220 0230 0240 0410"},
                                           {"aanduidingNaamgebruik", "6110"}};
    json_t *name = any_name(source, doubt);
    g_autofree char *full = brp_full_name(source, gender);
    brp_set_text(name, "volledigeNaam", full);
    BRP_MAP(name, source, USAGE);
    brp_investigation_mark(name, doubt.investigation, doubt.categories, ELEMENTS, G_N_ELEMENTS(ELEMENTS),
                           SINCE);
    return unless_absent(name, source);
}

json_t *brp_event(const json_t *source, const char *group, BrpDoubt doubt)
{
    static const BrpMapping MEMBERS[] = {
        {"datum", "datum", BRP_DATE}, {"land", "land", BRP_CODE}, {"plaats", "plaats", BRP_CODE}};
    g_autofree char *date = g_strconcat(group, "10", NULL);
    g_autofree char *place = g_strconcat(group, "20", NULL);
    g_autofree char *country = g_strconcat(group, "30", NULL);
    const BrpElements elements[] = {{"datum", date}, {"plaats", place}, {"land", country}};
    json_t *event = json_object();
    BRP_MAP(event, source, MEMBERS);
    brp_investigation_mark(event, doubt.investigation, doubt.categories, elements, G_N_ELEMENTS(elements),
                           SINCE);
    return unless_absent(event, source);
}
