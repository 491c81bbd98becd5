#include "components/brp/nobility.h"

static const BrpNobility NOBILITIES[] = {
    {"B", FALSE, "baron", {"baron", "barones"}, "barones", BRP_HOOGWELGEBOREN},
    {"BS", FALSE, "barones", {"baron", "barones"}, NULL, BRP_HOOGWELGEBOREN},
    {"G", FALSE, "graaf", {"graaf", "gravin"}, "gravin", BRP_HOOGGEBOREN},
    {"GI", FALSE, "gravin", {"graaf", "gravin"}, NULL, BRP_HOOGGEBOREN},
    {"H", FALSE, "hertog", {"hertog", "hertogin"}, "hertogin", BRP_HOOGWELGEBOREN},
    {"HI", FALSE, "hertogin", {"hertog", "hertogin"}, NULL, BRP_HOOGWELGEBOREN},
    {"JH", TRUE, "jonkheer", {"jonkheer", "jonkvrouw"}, NULL, BRP_HOOGWELGEBOREN},
    {"JV", TRUE, "jonkvrouw", {"jonkheer", "jonkvrouw"}, NULL, BRP_HOOGWELGEBOREN},
    {"M", FALSE, "markies", {"markies", "markiezin"}, "markiezin", BRP_HOOGWELGEBOREN},
    {"MI", FALSE, "markiezin", {"markies", "markiezin"}, NULL, BRP_HOOGWELGEBOREN},
    {"P", FALSE, "prins", {"prins", "prinses"}, "prinses", BRP_HOOGHEID},
    {"PS", FALSE, "prinses", {"prins", "prinses"}, NULL, BRP_HOOGHEID},
    {"R", FALSE, "ridder", {"ridder", NULL}, NULL, BRP_HOOGWELGEBOREN},
};

BrpGender brp_gender(const char *code)
{
    if (g_strcmp0(code, "M") == 0)
        return BRP_MAN;
    return g_strcmp0(code, "V") == 0 ? BRP_WOMAN : BRP_GENDER_UNKNOWN;
}

const BrpNobility *brp_nobility(const char *code)
{
    for (gsize i = 0; i < G_N_ELEMENTS(NOBILITIES); i++)
        if (g_strcmp0(code, NOBILITIES[i].code) == 0)
            return &NOBILITIES[i];
    return NULL;
}

const char *brp_nobility_form(const BrpNobility *nobility, BrpGender gender)
{
    return nobility == NULL || gender == BRP_GENDER_UNKNOWN ? NULL : nobility->forms[gender];
}

const char *brp_nobility_salutation(BrpRank rank, BrpGender gender)
{
    static const char *const SALUTATIONS[][3] = {
        [BRP_HOOGWELGEBOREN] = {"Hoogwelgeboren heer", "Hoogwelgeboren vrouwe", NULL},
        [BRP_HOOGGEBOREN] = {"Hooggeboren heer", "Hooggeboren vrouwe", NULL},
        [BRP_HOOGHEID] = {"Hoogheid", "Hoogheid", "Hoogheid"}};
    return SALUTATIONS[rank][gender];
}

const char *brp_nobility_envelope(BrpRank rank, BrpGender gender)
{
    static const char *const LINES[][3] = {
        [BRP_HOOGWELGEBOREN] = {"De hoogwelgeboren heer", "De hoogwelgeboren vrouwe", NULL},
        [BRP_HOOGGEBOREN] = {"De hooggeboren heer", "De hooggeboren vrouwe", NULL},
        [BRP_HOOGHEID] = {"De hoogheid", "De hoogheid", "De hoogheid"}};
    return LINES[rank][gender];
}
