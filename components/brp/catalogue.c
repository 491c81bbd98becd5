#include "components/brp/catalogue.h"

#include <string.h>

#define DATE_PARTS "type datum jaar maand onbekend langFormaat"
#define CODE_PARTS "code omschrijving"
#define TITLE_PARTS "code omschrijving soort"
#define AUTHORITY_PARTS                                                                                      \
    "type minderjarige minderjarige.burgerservicenummer ouders ouders.burgerservicenummer ouder "            \
    "ouder.burgerservicenummer derde derde.burgerservicenummer derden derden.burgerservicenummer"

enum { FULL = FALSE, LIMITED = TRUE };
enum { ANYWHERE = FALSE, DOMESTIC = TRUE };

#define GROUP(path, category, limited, domestic)                                                             \
    {                                                                                                        \
        path, BRP_GROUP, NULL, category, limited, domestic                                                   \
    }
#define LEAF(path, category, limited, domestic)                                                              \
    {                                                                                                        \
        path, BRP_LEAF, NULL, category, limited, domestic                                                    \
    }
#define DATE(path, category, limited, domestic)                                                              \
    {                                                                                                        \
        path, BRP_WHOLE, DATE_PARTS, category, limited, domestic                                             \
    }
#define CODE(path, category, limited, domestic)                                                              \
    {                                                                                                        \
        path, BRP_WHOLE, CODE_PARTS, category, limited, domestic                                             \
    }

#define NAME(path, category, limited)                                                                        \
    GROUP(path, category, limited, ANYWHERE), LEAF(path ".voornamen", category, limited, ANYWHERE),          \
        {path ".adellijkeTitelPredicaat", BRP_WHOLE, TITLE_PARTS, category, limited, ANYWHERE},              \
        LEAF(path ".voorvoegsel", category, limited, ANYWHERE),                                              \
        LEAF(path ".geslachtsnaam", category, limited, ANYWHERE),                                            \
        LEAF(path ".voorletters", category, limited, ANYWHERE)
#define EVENT(path, category, limited)                                                                       \
    GROUP(path, category, limited, ANYWHERE), DATE(path ".datum", category, limited, ANYWHERE),              \
        CODE(path ".land", category, FULL, ANYWHERE), CODE(path ".plaats", category, FULL, ANYWHERE)

/* In the order in which they are delivered. */
const BrpField BRP_FIELDS[] = {
    LEAF("aNummer", BRP_OF_PERSON, FULL, ANYWHERE),
    LEAF("burgerservicenummer", BRP_OF_PERSON, LIMITED, ANYWHERE),
    DATE("datumEersteInschrijvingGBA", BRP_NO_CATEGORY, FULL, ANYWHERE),
    CODE("geslacht", BRP_OF_PERSON, LIMITED, ANYWHERE),
    LEAF("leeftijd", BRP_OF_PERSON, LIMITED, ANYWHERE),
    NAME("naam", BRP_OF_PERSON, LIMITED),
    LEAF("naam.volledigeNaam", BRP_OF_PERSON, LIMITED, ANYWHERE),
    CODE("naam.aanduidingNaamgebruik", BRP_OF_PERSON, FULL, ANYWHERE),
    EVENT("geboorte", BRP_OF_PERSON, LIMITED),
    EVENT("overlijden", BRP_OF_DEATH, FULL),
    GROUP("nationaliteiten", BRP_OF_NATIONALITY, FULL, ANYWHERE),
    LEAF("nationaliteiten.type", BRP_OF_NATIONALITY, FULL, ANYWHERE),
    CODE("nationaliteiten.nationaliteit", BRP_OF_NATIONALITY, FULL, ANYWHERE),
    DATE("nationaliteiten.datumIngangGeldigheid", BRP_OF_NATIONALITY, FULL, ANYWHERE),
    CODE("nationaliteiten.redenOpname", BRP_OF_NATIONALITY, FULL, ANYWHERE),
    CODE("gemeenteVanInschrijving", BRP_OF_RESIDENCE, FULL, ANYWHERE),
    DATE("datumInschrijvingInGemeente", BRP_OF_RESIDENCE, FULL, ANYWHERE),
    GROUP("verblijfplaats", BRP_OF_RESIDENCE, FULL, DOMESTIC),
    LEAF("verblijfplaats.type", BRP_OF_RESIDENCE, FULL, DOMESTIC),
    CODE("verblijfplaats.functieAdres", BRP_OF_RESIDENCE, FULL, DOMESTIC),
    DATE("verblijfplaats.datumVan", BRP_OF_RESIDENCE, FULL, DOMESTIC),
    DATE("verblijfplaats.datumIngangGeldigheid", BRP_OF_RESIDENCE, FULL, DOMESTIC),
    LEAF("verblijfplaats.adresseerbaarObjectIdentificatie", BRP_OF_RESIDENCE, FULL, DOMESTIC),
    LEAF("verblijfplaats.nummeraanduidingIdentificatie", BRP_OF_RESIDENCE, FULL, DOMESTIC),
    GROUP("verblijfplaats.verblijfadres", BRP_OF_RESIDENCE, FULL, DOMESTIC),
    LEAF("verblijfplaats.verblijfadres.officieleStraatnaam", BRP_OF_RESIDENCE, FULL, DOMESTIC),
    LEAF("verblijfplaats.verblijfadres.korteStraatnaam", BRP_OF_RESIDENCE, FULL, DOMESTIC),
    LEAF("verblijfplaats.verblijfadres.huisnummer", BRP_OF_RESIDENCE, FULL, DOMESTIC),
    LEAF("verblijfplaats.verblijfadres.huisletter", BRP_OF_RESIDENCE, FULL, DOMESTIC),
    LEAF("verblijfplaats.verblijfadres.huisnummertoevoeging", BRP_OF_RESIDENCE, FULL, DOMESTIC),
    CODE("verblijfplaats.verblijfadres.aanduidingBijHuisnummer", BRP_OF_RESIDENCE, FULL, DOMESTIC),
    LEAF("verblijfplaats.verblijfadres.postcode", BRP_OF_RESIDENCE, FULL, DOMESTIC),
    LEAF("verblijfplaats.verblijfadres.woonplaats", BRP_OF_RESIDENCE, FULL, DOMESTIC),
    LEAF("verblijfplaats.verblijfadres.locatiebeschrijving", BRP_OF_RESIDENCE, FULL, DOMESTIC),
    LEAF("verblijfplaats.verblijfadres.regel1", BRP_OF_RESIDENCE, FULL, ANYWHERE),
    LEAF("verblijfplaats.verblijfadres.regel2", BRP_OF_RESIDENCE, FULL, ANYWHERE),
    LEAF("verblijfplaats.verblijfadres.regel3", BRP_OF_RESIDENCE, FULL, ANYWHERE),
    CODE("verblijfplaats.verblijfadres.land", BRP_OF_RESIDENCE, FULL, ANYWHERE),
    GROUP("immigratie", BRP_OF_RESIDENCE, FULL, ANYWHERE),
    DATE("immigratie.datumVestigingInNederland", BRP_OF_RESIDENCE, FULL, ANYWHERE),
    LEAF("immigratie.indicatieVestigingVanuitBuitenland", BRP_OF_RESIDENCE, FULL, ANYWHERE),
    CODE("immigratie.landVanwaarIngeschreven", BRP_OF_RESIDENCE, FULL, ANYWHERE),
    LEAF("immigratie.vanuitVerblijfplaatsOnbekend", BRP_OF_RESIDENCE, FULL, ANYWHERE),
    GROUP("verblijfstitel", BRP_NO_CATEGORY, FULL, ANYWHERE),
    CODE("verblijfstitel.aanduiding", BRP_NO_CATEGORY, FULL, ANYWHERE),
    DATE("verblijfstitel.datumIngang", BRP_NO_CATEGORY, FULL, ANYWHERE),
    DATE("verblijfstitel.datumEinde", BRP_NO_CATEGORY, FULL, ANYWHERE),
    GROUP("europeesKiesrecht", BRP_NO_CATEGORY, FULL, ANYWHERE),
    CODE("europeesKiesrecht.aanduiding", BRP_NO_CATEGORY, FULL, ANYWHERE),
    DATE("europeesKiesrecht.einddatumUitsluiting", BRP_NO_CATEGORY, FULL, ANYWHERE),
    GROUP("uitsluitingKiesrecht", BRP_NO_CATEGORY, FULL, ANYWHERE),
    LEAF("uitsluitingKiesrecht.uitgeslotenVanKiesrecht", BRP_NO_CATEGORY, FULL, ANYWHERE),
    DATE("uitsluitingKiesrecht.einddatum", BRP_NO_CATEGORY, FULL, ANYWHERE),
    GROUP("adressering", BRP_NO_CATEGORY, LIMITED, DOMESTIC),
    LEAF("adressering.aanhef", BRP_OF_PERSON, FULL, DOMESTIC),
    GROUP("adressering.aanschrijfwijze", BRP_OF_PERSON, FULL, DOMESTIC),
    LEAF("adressering.aanschrijfwijze.naam", BRP_OF_PERSON, FULL, DOMESTIC),
    LEAF("adressering.aanschrijfwijze.aanspreekvorm", BRP_OF_PERSON, FULL, DOMESTIC),
    LEAF("adressering.gebruikInLopendeTekst", BRP_OF_PERSON, FULL, DOMESTIC),
    LEAF("adressering.adresregel1", BRP_OF_RESIDENCE, LIMITED, DOMESTIC),
    LEAF("adressering.adresregel2", BRP_OF_RESIDENCE, LIMITED, DOMESTIC),
    LEAF("adressering.adresregel3", BRP_OF_RESIDENCE, LIMITED, ANYWHERE),
    CODE("adressering.land", BRP_OF_RESIDENCE, LIMITED, ANYWHERE),
    LEAF("indicatieCurateleRegister", BRP_NO_CATEGORY, FULL, ANYWHERE),
    CODE("indicatieGezagMinderjarige", BRP_NO_CATEGORY, FULL, ANYWHERE),
    {"gezag", BRP_WHOLE, AUTHORITY_PARTS, BRP_NO_CATEGORY, FULL, ANYWHERE},
    GROUP("ouders", BRP_NO_CATEGORY, FULL, ANYWHERE),
    LEAF("ouders.burgerservicenummer", BRP_NO_CATEGORY, FULL, ANYWHERE),
    LEAF("ouders.ouderAanduiding", BRP_NO_CATEGORY, FULL, ANYWHERE),
    CODE("ouders.geslacht", BRP_NO_CATEGORY, FULL, ANYWHERE),
    DATE("ouders.datumIngangFamilierechtelijkeBetrekking", BRP_NO_CATEGORY, FULL, ANYWHERE),
    NAME("ouders.naam", BRP_NO_CATEGORY, FULL),
    EVENT("ouders.geboorte", BRP_NO_CATEGORY, FULL),
    GROUP("partners", BRP_NO_CATEGORY, FULL, ANYWHERE),
    LEAF("partners.burgerservicenummer", BRP_NO_CATEGORY, FULL, ANYWHERE),
    CODE("partners.geslacht", BRP_NO_CATEGORY, FULL, ANYWHERE),
    CODE("partners.soortVerbintenis", BRP_NO_CATEGORY, FULL, ANYWHERE),
    NAME("partners.naam", BRP_NO_CATEGORY, FULL),
    EVENT("partners.geboorte", BRP_NO_CATEGORY, FULL),
    EVENT("partners.aangaanHuwelijkPartnerschap", BRP_NO_CATEGORY, FULL),
    GROUP("partners.ontbindingHuwelijkPartnerschap", BRP_NO_CATEGORY, FULL, ANYWHERE),
    DATE("partners.ontbindingHuwelijkPartnerschap.datum", BRP_NO_CATEGORY, FULL, ANYWHERE),
    GROUP("kinderen", BRP_NO_CATEGORY, FULL, ANYWHERE),
    LEAF("kinderen.burgerservicenummer", BRP_NO_CATEGORY, FULL, ANYWHERE),
    NAME("kinderen.naam", BRP_NO_CATEGORY, FULL),
    EVENT("kinderen.geboorte", BRP_NO_CATEGORY, FULL),
};
const gsize BRP_FIELD_COUNT = G_N_ELEMENTS(BRP_FIELDS);

/* --- finding --- */

gboolean brp_field_is_below(const char *path, const char *group)
{
    gsize length = strlen(group);
    return strncmp(path, group, length) == 0 && (path[length] == '\0' || path[length] == '.');
}

static gboolean has_part(const char *parts, const char *part)
{
    g_auto(GStrv) list = g_strsplit(parts, " ", -1);
    return g_strv_contains((const char *const *)list, part);
}

static const BrpField *find_row(const char *path)
{
    for (gsize i = 0; i < BRP_FIELD_COUNT; i++) {
        const BrpField *field = &BRP_FIELDS[i];
        gsize length = strlen(field->path);
        if (strncmp(field->path, path, length) != 0)
            continue;
        if (path[length] == '\0')
            return field;
        if (path[length] == '.' && field->shape == BRP_WHOLE && has_part(field->parts, path + length + 1))
            return field;
    }
    return NULL;
}

/* "verblijfplaatsBinnenland.datumVan" to "verblijfplaats.datumVan" */
static char *without_alias(const char *path, gboolean *domestic)
{
    static const char *const ALIASES[] = {"verblijfplaats", "adressering"};
    static const char SUFFIX[] = "Binnenland";
    for (gsize i = 0; i < G_N_ELEMENTS(ALIASES); i++) {
        g_autofree char *alias = g_strconcat(ALIASES[i], SUFFIX, NULL);
        *domestic = brp_field_is_below(path, alias);
        if (*domestic)
            return g_strconcat(ALIASES[i], path + strlen(alias), NULL);
    }
    return g_strdup(path);
}

static gboolean is_allowed(const BrpField *field, gboolean limited, gboolean domestic)
{
    return field != NULL && (!limited || field->limited) && (!domestic || field->domestic);
}

/* What goes along by itself: some groups, `inOnderzoek` of any group, and that somebody does not live where
 * they are registered. */
static gboolean is_automatic(const char *path, gboolean limited, gboolean domestic)
{
    static const char *const GROUPS[] = {"geheimhoudingPersoonsgegevens", "opschortingBijhouding", "rni",
                                         "verificatie", "inOnderzoek"};
    static const char *const MEMBERS[] = {".inOnderzoek", ".indicatieVastgesteldVerblijftNietOpAdres"};
    for (gsize i = 0; i < G_N_ELEMENTS(GROUPS); i++)
        if (brp_field_is_below(path, GROUPS[i]))
            return TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(MEMBERS); i++) {
        const char *at = strstr(path, MEMBERS[i]);
        if (at == NULL || !brp_field_is_below(at, MEMBERS[i]))
            continue;
        g_autofree char *owner = g_strndup(path, (gsize)(at - path));
        const BrpField *field = find_row(owner);
        gboolean of_address =
            i == 0 || strcmp(owner, "verblijfplaats") == 0 || strcmp(owner, "adressering") == 0;
        return is_allowed(field, limited, domestic) && field->shape == BRP_GROUP && of_address;
    }
    return FALSE;
}

BrpFieldVerdict brp_field_find(const char *path, gboolean limited, const BrpField **field, gboolean *domestic)
{
    gboolean aliased;
    g_autofree char *plain = without_alias(path, &aliased);
    if (is_automatic(plain, limited, aliased))
        return BRP_FIELD_AUTOMATIC;
    const BrpField *row = find_row(plain);
    if (!is_allowed(row, limited, aliased))
        return BRP_FIELD_UNKNOWN;
    if (field != NULL)
        *field = row;
    if (domestic != NULL)
        *domestic = aliased;
    return BRP_FIELD_KNOWN;
}
