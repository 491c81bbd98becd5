#include "components/brp/date.h"

#include <stdlib.h>
#include <string.h>

static const char *const MONTHS[] = {"januari", "februari", "maart",     "april",   "mei",      "juni",
                                     "juli",    "augustus", "september", "oktober", "november", "december"};

typedef struct {
    int year, month, day; /* 0: unknown */
} PartialDate;

static gboolean partial_date_parse(const char *digits, PartialDate *out)
{
    if (digits == NULL || strlen(digits) != 8 || strspn(digits, "0123456789") != 8)
        return FALSE;
    int number = atoi(digits);
    *out = (PartialDate){number / 10000, number / 100 % 100, number % 100};
    if (out->year == 0)
        return out->month == 0 && out->day == 0;
    if (out->month == 0)
        return out->day == 0;
    return out->month <= 12 && (out->day == 0 || g_date_valid_dmy((GDateDay)out->day, (GDateMonth)out->month,
                                                                  (GDateYear)out->year));
}

json_t *brp_date(const char *digits)
{
    PartialDate date;
    if (!partial_date_parse(digits, &date))
        return NULL;
    if (date.year == 0)
        return json_pack("{s:s, s:b, s:s}", "type", "DatumOnbekend", "onbekend", 1, "langFormaat",
                         "onbekend");
    if (date.month == 0) {
        g_autofree char *text = g_strdup_printf("%d", date.year);
        return json_pack("{s:s, s:i, s:s}", "type", "JaarDatum", "jaar", date.year, "langFormaat", text);
    }
    const char *month = MONTHS[date.month - 1];
    if (date.day == 0) {
        g_autofree char *text = g_strdup_printf("%s %d", month, date.year);
        return json_pack("{s:s, s:i, s:i, s:s}", "type", "JaarMaandDatum", "jaar", date.year, "maand",
                         date.month, "langFormaat", text);
    }
    g_autofree char *iso = g_strdup_printf("%04d-%02d-%02d", date.year, date.month, date.day);
    g_autofree char *text = g_strdup_printf("%d %s %d", date.day, month, date.year);
    return json_pack("{s:s, s:s, s:s}", "type", "Datum", "datum", iso, "langFormaat", text);
}

int brp_age(const char *birth_digits, const char *today)
{
    PartialDate birth, now;
    if (!partial_date_parse(birth_digits, &birth) || !partial_date_parse(today, &now) || birth.month == 0)
        return -1;
    if (birth.day == 0 && birth.month == now.month)
        return -1;
    gboolean had_birthday = now.month > birth.month || (now.month == birth.month && now.day >= birth.day);
    int age = now.year - birth.year - (had_birthday ? 0 : 1);
    return age >= 0 ? age : -1;
}

gboolean brp_date_is_over(const char *digits, const char *today)
{
    PartialDate end, now;
    if (!partial_date_parse(digits, &end) || !partial_date_parse(today, &now) || end.year == 0)
        return FALSE;
    if (end.year != now.year || end.month == 0)
        return end.year < now.year;
    if (end.month != now.month || end.day == 0)
        return end.month < now.month;
    return end.day <= now.day;
}
