#include "components/brp/person.h"

#include <string.h>

#include "components/brp/date.h"
#include "components/brp/groups.h"
#include "components/brp/investigation.h"
#include "components/brp/mapping.h"
#include "components/brp/relatives.h"
#include "components/brp/residence.h"
#include "components/brp/salutation.h"
#include "core/format/json.h"

#define SINCE "datumIngangOnderzoek"

static const char *suspension(const json_t *record)
{
    return brp_code(json_object_get(record, "opschortingBijhouding"), "reden");
}

gboolean brp_person_is_dead(const json_t *record)
{
    return g_strcmp0(suspension(record), "O") == 0 ||
           json_object_size(json_object_get(record, "overlijden")) > 0;
}

gboolean brp_person_is_withdrawn(const json_t *record)
{
    const char *reason = suspension(record);
    return g_strcmp0(reason, "F") == 0 || g_strcmp0(reason, "W") == 0;
}

/* --- single members --- */

static void set_members(json_t *person, const json_t *record, const char *today)
{
    static const BrpMapping MEMBERS[] = {
        {"aNummer", "aNummer", BRP_TEXT},
        {"burgerservicenummer", "burgerservicenummer", BRP_TEXT},
        {"datumEersteInschrijvingGBA", "datumEersteInschrijvingGBA", BRP_DATE},
        {"datumInschrijvingInGemeente", "datumInschrijvingInGemeente", BRP_DATE},
        {"geheimhoudingPersoonsgegevens", "geheimhoudingPersoonsgegevens", BRP_FLAG},
        {"geslacht", "geslacht", BRP_STATED},
        {"gemeenteVanInschrijving", "gemeenteVanInschrijving", BRP_CODE},
        {"indicatieCurateleRegister", "indicatieCurateleRegister", BRP_FLAG},
        {"indicatieGezagMinderjarige", "indicatieGezagMinderjarige", BRP_CODE}};
    BRP_MAP(person, record, MEMBERS);
    int age = brp_person_is_dead(record)
                  ? -1
                  : brp_age(json_string_at(json_object_get(record, "geboorte"), "datum"), today);
    if (age >= 0)
        json_object_set_new(person, "leeftijd", json_integer(age));
}

static void mark_members(json_t *person, const json_t *record)
{
    static const BrpElements OF_PERSON[] = {
        {"burgerservicenummer", "0120"}, {"geslacht", "0410"}, {"leeftijd", "0310"}};
    static const BrpElements OF_TOWN[] = {{"gemeenteVanInschrijving", "0910"},
                                          {"datumInschrijvingInGemeente", "0920"}};
    static const BrpElements OF_AUTHORITY[] = {{"indicatieGezagMinderjarige", "3210"},
                                               {"indicatieCurateleRegister", "3310"}};
    brp_investigation_mark(person, json_object_get(record, "persoonInOnderzoek"), "01", OF_PERSON,
                           G_N_ELEMENTS(OF_PERSON), "datumIngangOnderzoekPersoon");
    brp_investigation_mark(person, json_object_get(json_object_get(record, "verblijfplaats"), "inOnderzoek"),
                           "08", OF_TOWN, G_N_ELEMENTS(OF_TOWN), "datumIngangOnderzoekGemeente");
    brp_investigation_mark(person, json_object_get(record, "gezagInOnderzoek"), "11", OF_AUTHORITY,
                           G_N_ELEMENTS(OF_AUTHORITY), "datumIngangOnderzoekGezag");
}

/* --- nationality --- */

typedef struct {
    const char *code;    /* of table 32 */
    const char *special; /* LO BRP 65.10 */
    const char *type;
    const char *type_elements;
} NationalityKind;

static const NationalityKind *nationality_kind(const json_t *source)
{
    static const NationalityKind KINDS[] = {{"0000", NULL, "NationaliteitOnbekend", "0510"},
                                            {"0499", NULL, "Staatloos", "0510 6510"},
                                            {"0002", "B", "BehandeldAlsNederlander", "0510 6510"},
                                            {"0500", "V", "VastgesteldNietNederlander", "0510 6510"}};
    static const NationalityKind ORDINARY = {NULL, NULL, "Nationaliteit", "0510"};
    const char *code = brp_code(source, "nationaliteit");
    const char *special = json_string_at(source, "aanduidingBijzonderNederlanderschap");
    for (gsize i = 0; i < G_N_ELEMENTS(KINDS); i++)
        if (g_strcmp0(code, KINDS[i].code) == 0 ||
            (special != NULL && g_strcmp0(special, KINDS[i].special) == 0))
            return &KINDS[i];
    return &ORDINARY;
}

/* Which nationality it is, is told only where it is one. */
static json_t *nationality(const json_t *source)
{
    static const BrpMapping MEMBERS[] = {{"redenOpname", "redenOpname", BRP_CODE},
                                         {"datumIngangGeldigheid", "datumIngangGeldigheid", BRP_DATE}};
    static const BrpMapping WHICH[] = {{"nationaliteit", "nationaliteit", BRP_CODE}};
    const NationalityKind *kind = nationality_kind(source);
    const BrpElements elements[] = {
        {"type", kind->type_elements}, {"redenOpname", "6310"}, {"nationaliteit", "0510"}};
    gboolean ordinary = kind->code == NULL;
    json_t *out = json_pack("{s:s}", "type", kind->type);
    if (ordinary)
        BRP_MAP(out, source, WHICH);
    BRP_MAP(out, source, MEMBERS);
    brp_investigation_mark(out, json_object_get(source, "inOnderzoek"), "04", elements, ordinary ? 3 : 2,
                           SINCE);
    return out;
}

static json_t *nationalities(const json_t *record)
{
    json_t *out = json_array();
    gsize index;
    json_t *source;
    json_array_foreach(json_object_get(record, "nationaliteiten"), index, source)
        json_array_append_new(out, nationality(source));
    return out;
}

/* --- groups that are there only while they are valid --- */

static json_t *electorate(const json_t *source, const BrpMapping *table, gsize n, const char *until,
                          const char *today)
{
    json_t *out = json_object();
    brp_map(out, source, table, n);
    if (json_object_get(out, table[0].to) == NULL || brp_date_is_over(json_string_at(source, until), today))
        g_clear_pointer(&out, json_decref);
    return out;
}

static json_t *european_vote(const json_t *record, const char *today)
{
    static const BrpMapping MEMBERS[] = {{"aanduiding", "aanduiding", BRP_CODE},
                                         {"einddatumUitsluiting", "einddatumUitsluiting", BRP_DATE}};
    return electorate(json_object_get(record, "europeesKiesrecht"), MEMBERS, G_N_ELEMENTS(MEMBERS),
                      "einddatumUitsluiting", today);
}

static json_t *vote_exclusion(const json_t *record, const char *today)
{
    static const BrpMapping MEMBERS[] = {{"uitgeslotenVanKiesrecht", "uitgeslotenVanKiesrecht", BRP_FLAG},
                                         {"einddatum", "einddatum", BRP_DATE}};
    return electorate(json_object_get(record, "uitsluitingKiesrecht"), MEMBERS, G_N_ELEMENTS(MEMBERS),
                      "einddatum", today);
}

/* LO BRP table 56: 98 says that there is none any more. */
static json_t *residence_permit(const json_t *record, const char *today)
{
    static const BrpMapping MEMBERS[] = {{"aanduiding", "aanduiding", BRP_STATED},
                                         {"datumEinde", "datumEinde", BRP_DATE},
                                         {"datumIngang", "datumIngang", BRP_DATE}};
    static const BrpElements ELEMENTS[] = {
        {"aanduiding", "3910"}, {"datumEinde", "3920"}, {"datumIngang", "3930"}};
    const json_t *source = json_object_get(record, "verblijfstitel");
    if (json_object_size(source) == 0 || g_strcmp0(brp_code(source, "aanduiding"), "98") == 0 ||
        brp_date_is_over(json_string_at(source, "datumEinde"), today))
        return NULL;
    json_t *out = json_object();
    BRP_MAP(out, source, MEMBERS);
    brp_investigation_mark(out, json_object_get(source, "inOnderzoek"), "10", ELEMENTS,
                           G_N_ELEMENTS(ELEMENTS), SINCE);
    return out;
}

/* --- what goes along unasked --- */

static json_t *plain_group(const json_t *source, const BrpMapping *table, gsize n)
{
    json_t *out = json_object();
    brp_map(out, source, table, n);
    if (json_object_size(out) == 0)
        g_clear_pointer(&out, json_decref);
    return out;
}

static json_t *rni_participants(const json_t *record)
{
    static const BrpMapping MEMBERS[] = {{"deelnemer", "deelnemer", BRP_CODE},
                                         {"omschrijvingVerdrag", "omschrijvingVerdrag", BRP_TEXT},
                                         {"categorie", "categorie", BRP_TEXT}};
    json_t *out = json_array();
    gsize index;
    json_t *source;
    json_array_foreach(json_object_get(record, "rni"), index, source)
    {
        json_t *item = plain_group(source, MEMBERS, G_N_ELEMENTS(MEMBERS));
        if (item != NULL)
            json_array_append_new(out, item);
    }
    return out;
}

static void set_notices(json_t *person, const json_t *record)
{
    static const BrpMapping SUSPENSION[] = {{"reden", "reden", BRP_STATED}, {"datum", "datum", BRP_DATE}};
    static const BrpMapping VERIFICATION[] = {{"datum", "datum", BRP_DATE},
                                              {"omschrijving", "omschrijving", BRP_TEXT}};
    brp_set(
        person, "opschortingBijhouding",
        plain_group(json_object_get(record, "opschortingBijhouding"), SUSPENSION, G_N_ELEMENTS(SUSPENSION)));
    brp_set(person, "verificatie",
            plain_group(json_object_get(record, "verificatie"), VERIFICATION, G_N_ELEMENTS(VERIFICATION)));
    brp_set(person, "rni", rni_participants(record));
}

/* --- the whole --- */

static json_t *addressing(const json_t *record)
{
    static const BrpElements OF_PERSON[] = {{"aanhef", "0210 0220 0230 0240 0410 6110"},
                                            {"aanschrijfwijze", "0210 0220 0230 0240 0410 6110"},
                                            {"gebruikInLopendeTekst", "0210 0220 0230 0240 0410 6110"}};
    static const BrpElements OF_PARTNER[] = {{"aanhef", "0220 0230 0240"},
                                             {"aanschrijfwijze", "0220 0230 0240"},
                                             {"gebruikInLopendeTekst", "0220 0230 0240"}};
    json_t *out = json_object();
    brp_salutation_add(out, record);
    brp_residence_add_lines(out, record);
    brp_investigation_mark(out, json_object_get(record, "persoonInOnderzoek"), "01", OF_PERSON,
                           G_N_ELEMENTS(OF_PERSON), "datumIngangOnderzoekPersoon");
    const json_t *partner = brp_salutation_partner(record);
    brp_investigation_mark(out, json_object_get(partner, "inOnderzoek"), "05", OF_PARTNER,
                           G_N_ELEMENTS(OF_PARTNER), "datumIngangOnderzoekPartner");
    return out;
}

json_t *brp_person(const json_t *record, const char *today)
{
    BrpDoubt own = {json_object_get(record, "persoonInOnderzoek"), "01"};
    const json_t *death = json_object_get(record, "overlijden");
    BrpDoubt of_death = {json_object_get(death, "inOnderzoek"), "06"};
    json_t *person = json_object();
    set_members(person, record, today);
    mark_members(person, record);
    brp_set(person, "naam",
            brp_person_name(json_object_get(record, "naam"), brp_gender(brp_code(record, "geslacht")), own));
    brp_set(person, "geboorte", brp_event(json_object_get(record, "geboorte"), "03", own));
    brp_set(person, "overlijden", brp_event(death, "08", of_death));
    brp_set(person, "nationaliteiten", nationalities(record));
    brp_set(person, "verblijfplaats", brp_residence(record));
    brp_set(person, "immigratie", brp_immigration(record));
    brp_set(person, "verblijfstitel", residence_permit(record, today));
    brp_set(person, "europeesKiesrecht", european_vote(record, today));
    brp_set(person, "uitsluitingKiesrecht", vote_exclusion(record, today));
    brp_set(person, "adressering", addressing(record));
    brp_set(person, "ouders", brp_parents(record));
    brp_set(person, "partners", brp_partners(record));
    brp_set(person, "kinderen", brp_children(record));
    brp_set(person, "gezag", brp_authority(record));
    set_notices(person, record);
    return person;
}
