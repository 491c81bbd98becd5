/* Titles and predicates of the nobility (national table 38) and what belongs to them. Pure. */
#pragma once

#include <glib.h>

typedef enum { BRP_MAN, BRP_WOMAN, BRP_GENDER_UNKNOWN } BrpGender;

/* From "M", "V" or anything else. */
BrpGender brp_gender(const char *code);

typedef enum { BRP_HOOGWELGEBOREN, BRP_HOOGGEBOREN, BRP_HOOGHEID } BrpRank;

typedef struct {
    const char *code;
    gboolean is_predicate; /* stands before the given names; a title stands before the surname */
    const char *own;       /* the word of the code itself */
    const char *forms[2];  /* for a man and for a woman; NULL when there is none */
    const char *courtesy;  /* what the wife of who bears it may bear; NULL when nothing */
    BrpRank rank;
} BrpNobility;

/* NULL for a code that is not in the table, and for NULL. */
const BrpNobility *brp_nobility(const char *code);

/* The form for this gender; NULL when there is none. */
const char *brp_nobility_form(const BrpNobility *nobility, BrpGender gender);

/* "Hoogwelgeboren heer": how a letter to who bears this begins; NULL when there is no form for the gender. */
const char *brp_nobility_salutation(BrpRank rank, BrpGender gender);

/* "De hoogwelgeboren heer": the line above the name on an envelope. */
const char *brp_nobility_envelope(BrpRank rank, BrpGender gender);
