#include "components/inzage/view.h"

#include <string.h>

#include "components/inzage/picture.h"
#include "components/inzage/words.h"
#include "core/format/json.h"
#include "core/net/phrases.h"

#define NAME_MAX_CHARACTERS 80
#define TITLE_MAX_CHARACTERS 120
#define TEXT_MAX_CHARACTERS 320
#define URL_MAX_BYTES 400
#define LAWS_MAX 4
#define WORDS_BRIEF 12
#define WORDS_WHOLE 60
#define PARTIES_MAX 8
#define ORIGINAL_LANGUAGE "nl"

/* --- small things --- */

json_t *view_text(const View *view, const char *text, const char *text_language, gsize max)
{
    if (text == NULL || text[0] == '\0')
        return NULL;
    g_autofree char *cut = text_cut(text, max);
    gboolean same = strcmp(text_language, view->language) == 0;
    return json_pack("{s:s, s:s*}", "text", cut, "lang", same ? NULL : text_language);
}

char *view_name(const View *view, const char *oin)
{
    g_autofree char *name = organisation_name(view->inzage, view->answers, oin);
    return text_cut(name, NAME_MAX_CHARACTERS);
}

char *view_enumerate(const char *language, const char *const *words, guint max)
{
    GString *out = g_string_new(NULL);
    guint count = g_strv_length((char **)words);
    guint shown = count > max ? max : count;
    for (guint i = 0; i < shown; i++) {
        gboolean last = i + 1 == shown && shown == count;
        if (i > 0 && last)
            g_string_append_printf(out, " %s ", phrase(language, "inzage.and"));
        else if (i > 0)
            g_string_append(out, ", ");
        g_string_append(out, words[i]);
    }
    if (count > shown) {
        g_autofree char *n = g_strdup_printf("%u", count - shown);
        g_autofree char *rest = phrase_format(language, "inzage.more_words", "n", n, NULL);
        g_string_append_printf(out, " %s", rest);
    }
    return g_string_free(out, FALSE);
}

static void set_text(json_t *object, const char *name, json_t *text)
{
    if (text != NULL)
        json_object_set_new(object, name, text);
}

static void set_sentence(json_t *object, const char *name, char *sentence)
{
    json_object_set_new(object, name, json_string(sentence));
    g_free(sentence);
}

static json_t *activity_member(const View *view, const Use *use, const char *member, gsize max)
{
    const char *language;
    const char *text = activity_text(use->activity, member, view->language, &language);
    return view_text(view, text, language, max);
}

/* Titles as they are; a link only where it leads to https. */
static json_t *laws(const View *view, const Use *use)
{
    json_t *list = json_array();
    const json_t *bases = json_object_get(use->activity, "legalBasis");
    for (gsize i = 0; i < MIN(json_array_size(bases), LAWS_MAX); i++) {
        const json_t *basis = json_array_get(bases, i);
        const char *url = json_string_at(basis, "url");
        json_t *law =
            view_text(view, json_string_at(basis, "title"), ORIGINAL_LANGUAGE, TITLE_MAX_CHARACTERS);
        if (law == NULL)
            continue;
        if (url != NULL && g_str_has_prefix(url, "https://") && strlen(url) <= URL_MAX_BYTES)
            json_object_set_new(law, "url", json_string(url));
        json_array_append_new(list, law);
    }
    return list;
}

json_t *view_title(const View *view, const Case *item)
{
    const Use *lead = case_lead(item);
    json_t *title = activity_member(view, lead, "name", TITLE_MAX_CHARACTERS);
    if (title == NULL)
        title = view_text(view, lead->name, ORIGINAL_LANGUAGE, TITLE_MAX_CHARACTERS);
    return title != NULL ? title : json_pack("{s:s}", "text", phrase(view->language, "inzage.case.untitled"));
}

/* Purpose, decision and laws of the activity that a use belongs to; that they are not known is said. */
static void set_activity(const View *view, json_t *object, const Use *use)
{
    set_text(object, "purpose", activity_member(view, use, "purpose", TEXT_MAX_CHARACTERS));
    set_text(object, "decision", activity_member(view, use, "decision", TEXT_MAX_CHARACTERS));
    json_t *bases = laws(view, use);
    json_object_set_new(object, "has_laws", json_boolean(json_array_size(bases) > 0));
    json_object_set_new(object, "laws", bases);
    json_object_set_new(object, "unexplained", json_boolean(use->activity == NULL));
    json_object_set_new(object, "newer", json_boolean(use->activity_newer));
}

static json_t *data_words(const View *view, const char *const *categories, guint max)
{
    g_auto(GStrv) words = categories_words(view->language, categories);
    if (words[0] == NULL)
        return json_null();
    g_autofree char *text = view_enumerate(view->language, (const char *const *)words, max);
    g_autofree char *cut = text_cut(text, max * 40);
    return json_string(cut);
}

/* --- a card --- */

/* Uses of one organisation for one activity within a case. */
typedef struct {
    const Use *first;
    GPtrArray *categories, *receivers; /* borrowed */
    guint n_uses;
    gboolean failed;
} Party;

static void party_clear(gpointer data)
{
    Party *party = data;
    g_ptr_array_unref(party->categories);
    g_ptr_array_unref(party->receivers);
}

static void add_once(GPtrArray *list, const char *text)
{
    if (text != NULL && !g_ptr_array_find_with_equal_func(list, text, g_str_equal, NULL))
        g_ptr_array_add(list, (gpointer)text);
}

static Party *party_for(GArray *parties, const Use *use)
{
    for (guint i = 0; i < parties->len; i++) {
        Party *party = &g_array_index(parties, Party, i);
        if (party->first->source == use->source &&
            g_strcmp0(party->first->activity_id, use->activity_id) == 0)
            return party;
    }
    Party party = {.first = use, .categories = g_ptr_array_new(), .receivers = g_ptr_array_new()};
    g_array_append_val(parties, party);
    return &g_array_index(parties, Party, parties->len - 1);
}

static GArray *parties_of(const Case *item)
{
    GArray *parties = g_array_new(FALSE, TRUE, sizeof(Party));
    g_array_set_clear_func(parties, party_clear);
    for (guint i = 0; i < item->steps->len; i++) {
        const Use *use = case_step(item, i)->use;
        Party *party = party_for(parties, use);
        party->n_uses++;
        party->failed |= use->failed;
        add_once(party->receivers, use->receiver);
        for (char **category = use->categories; *category != NULL; category++)
            add_once(party->categories, *category);
    }
    return parties;
}

static json_t *receivers_text(const View *view, const GPtrArray *oins)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < oins->len; i++)
        g_ptr_array_add(names, view_name(view, oins->pdata[i]));
    g_ptr_array_add(names, NULL);
    if (oins->len == 0)
        return json_null();
    g_autofree char *text = view_enumerate(view->language, (const char *const *)names->pdata, WORDS_BRIEF);
    return json_string(text);
}

static json_t *party_json(const View *view, Party *party)
{
    const Use *use = party->first;
    json_t *object = json_object();
    set_sentence(object, "name", text_cut(use->source->name, NAME_MAX_CHARACTERS));
    set_sentence(object, "when", phrase_time(view->language, use->start_ms, TIME_ZONE));
    set_text(object, "did", activity_member(view, use, "name", TITLE_MAX_CHARACTERS));
    if (json_object_get(object, "did") == NULL)
        set_text(object, "did", view_text(view, use->name, ORIGINAL_LANGUAGE, TITLE_MAX_CHARACTERS));
    set_activity(view, object, use);
    g_ptr_array_add(party->categories, NULL);
    json_object_set_new(object, "data",
                        data_words(view, (const char *const *)party->categories->pdata, WORDS_BRIEF));
    json_object_set_new(object, "receivers", receivers_text(view, party->receivers));
    json_object_set_new(object, "failed", json_boolean(party->failed));
    return object;
}

static char *gap_text(const View *view, const Step *step, GapKind kind)
{
    g_autofree char *name = view_name(view, step->use->source->oin);
    if (kind == GAP_PARENT)
        return phrase_format(view->language, "inzage.gap.parent", "organisation", name, NULL);
    g_autofree char *silent = view_name(view, step->silent);
    return phrase_format(view->language, "inzage.gap.receiver", "organisation", name, "receiver", silent,
                         NULL);
}

static void append_sentence(json_t *list, char *sentence)
{
    json_array_append_new(list, json_string(sentence));
    g_free(sentence);
}

/* Each kind of gap once a card; the page of the case has them all. Who got the data is most likely who asked,
 * so one sentence says both. */
static json_t *gaps_of(const View *view, const Case *item)
{
    json_t *gaps = json_array();
    gboolean told[2] = {FALSE, FALSE};
    for (guint i = 0; i < item->steps->len; i++) {
        const Step *step = case_step(item, i);
        GapKind kind = step->silent != NULL ? GAP_RECEIVER : GAP_PARENT;
        if ((step->silent == NULL && !step->gap) || told[kind])
            continue;
        told[kind] = TRUE;
        append_sentence(gaps, gap_text(view, step, kind));
    }
    return gaps;
}

/* What is folded away, by name. */
static char *others_label(const View *view, const json_t *others)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (gsize i = 0; i < json_array_size(others); i++)
        add_once(names, json_string_at(json_array_get(others, i), "name"));
    g_ptr_array_add(names, NULL);
    g_autofree char *list = view_enumerate(view->language, (const char *const *)names->pdata, PARTIES_MAX);
    return phrase_format(view->language, "inzage.case.others", "list", list, NULL);
}

json_t *view_case(const View *view, const Case *item)
{
    g_autoptr(GArray) parties = parties_of(item);
    json_t *object = json_object(), *others = json_array();
    for (guint i = 1; i < MIN(parties->len, PARTIES_MAX); i++)
        json_array_append_new(others, party_json(view, &g_array_index(parties, Party, i)));
    json_object_set_new(object, "title", view_title(view, item));
    set_sentence(object, "when", phrase_time(view->language, item->first_ms, TIME_ZONE));
    set_sentence(object, "href", g_strconcat("/gebruik/", item->trace_id, NULL));
    json_object_set_new(object, "lead", party_json(view, &g_array_index(parties, Party, 0)));
    json_object_set_new(object, "has_others", json_boolean(json_array_size(others) > 0));
    json_object_set_new(object, "others", others);
    json_t *gaps = gaps_of(view, item);
    json_object_set_new(object, "has_gaps", json_boolean(json_array_size(gaps) > 0));
    json_object_set_new(object, "gaps", gaps);
    set_sentence(object, "others_label", others_label(view, others));
    return object;
}

/* --- step by step --- */

static json_t *step_json(const View *view, const Case *item, guint index)
{
    const Step *step = case_step(item, index);
    const Use *use = step->use;
    json_t *object = json_object();
    set_sentence(object, "name", text_cut(use->source->name, NAME_MAX_CHARACTERS));
    set_sentence(object, "when", phrase_time(view->language, use->start_ms, TIME_ZONE));
    set_text(object, "action", view_text(view, use->name, ORIGINAL_LANGUAGE, TITLE_MAX_CHARACTERS));
    set_text(object, "did", activity_member(view, use, "name", TITLE_MAX_CHARACTERS));
    set_activity(view, object, use);
    json_object_set_new(object, "data", data_words(view, (const char *const *)use->categories, WORDS_WHOLE));
    json_object_set_new(object, "failed", json_boolean(use->failed));
    const Use *parent = step->parent < 0 ? NULL : case_step(item, (guint)step->parent)->use;
    /* What stands at the step before, with the same reason, is not said again. */
    json_object_set_new(object, "same_reason",
                        json_boolean(parent != NULL && parent->source == use->source &&
                                     use->activity != NULL &&
                                     g_strcmp0(parent->activity_id, use->activity_id) == 0));
    if (parent != NULL && parent->source != use->source) {
        g_autofree char *asker = view_name(view, parent->source->oin);
        set_sentence(object, "asked",
                     phrase_format(view->language, "inzage.step.asked", "organisation", asker, NULL));
    }
    if (use->receiver != NULL)
        set_sentence(object, "receivers", view_name(view, use->receiver));
    return object;
}

static void append_gap(json_t *list, char *text)
{
    json_array_append_new(list, json_pack("{s:s}", "gap", text));
    g_free(text);
}

json_t *view_steps(const View *view, const Case *item)
{
    json_t *list = json_array();
    for (guint i = 0; i < item->steps->len; i++) {
        const Step *step = case_step(item, i);
        if (step->gap && step->silent == NULL)
            append_gap(list, gap_text(view, step, GAP_PARENT));
        json_array_append_new(list, step_json(view, item, i));
        if (step->silent != NULL)
            append_gap(list, gap_text(view, step, GAP_RECEIVER));
    }
    return list;
}

/* --- the picture of the chain --- */

static int add_box(GArray *boxes, char *heading, char *line, int parent, gboolean gap)
{
    Box box = {.heading = heading, .line = line, .parent = parent, .gap = gap};
    box.depth = parent < 0 ? 0 : g_array_index(boxes, Box, parent).depth + 1;
    g_array_append_val(boxes, box);
    return (int)boxes->len - 1;
}

/* Who asked, as far as nobody wrote it down: the organisation that got the data, or nobody knows. */
static int add_missing(GArray *boxes, const View *view, const Step *step)
{
    if (step->parent >= 0 || (!step->gap && step->silent == NULL))
        return -1;
    const char *known = step->silent != NULL ? "inzage.chain.silent" : "inzage.chain.no_record";
    char *name = step->silent != NULL ? view_name(view, step->silent)
                                      : g_strdup(phrase(view->language, "inzage.chain.unknown"));
    return add_box(boxes, name, g_strdup(phrase(view->language, known)), -1, TRUE);
}

/* Steps of one organisation that follow from each other are one box; what is missing is a box too. */
static GArray *boxes_of(const View *view, const Case *item, guint most, gboolean *whole)
{
    GArray *boxes = g_array_new(FALSE, TRUE, sizeof(Box));
    g_array_set_clear_func(boxes, box_clear);
    g_autofree int *box_of = g_new0(int, item->steps->len);
    guint i = 0;
    for (; i < item->steps->len && boxes->len < most; i++) {
        const Step *step = case_step(item, i);
        const Source *source = step->use->source;
        gboolean goes_on = step->parent >= 0 && case_step(item, (guint)step->parent)->use->source == source;
        int above = step->parent >= 0 ? box_of[step->parent] : add_missing(boxes, view, step);
        box_of[i] =
            goes_on ? above
                    : add_box(boxes, view_name(view, source->oin), g_strdup(step->use->name), above, FALSE);
        if (step->silent != NULL && step->parent >= 0)
            add_box(boxes, view_name(view, step->silent),
                    g_strdup(phrase(view->language, "inzage.chain.received")), box_of[i], TRUE);
    }
    *whole = i == item->steps->len;
    return boxes;
}

#define BOXES_MAX 24

char *view_chain(const View *view, const Case *item, gboolean *whole)
{
    g_autoptr(GArray) boxes = boxes_of(view, item, BOXES_MAX, whole);
    g_autoptr(GString) words = g_string_new(NULL);
    for (guint i = 0; i < boxes->len; i++) {
        const Box *box = &g_array_index(boxes, Box, i);
        g_string_append_printf(words, "%s%s: %s.", i == 0 ? "" : " ", box->heading, box->line);
    }
    return picture_chain(boxes, phrase(view->language, "inzage.chain.title"), words->str);
}

/* --- the organisations --- */

static json_t *source_json(const View *view, const Source *source)
{
    json_t *object = json_object();
    gboolean answered = source->state == SOURCE_ANSWERED;
    set_sentence(object, "name", text_cut(source->name, NAME_MAX_CHARACTERS));
    json_object_set_new(object, "answered", json_boolean(answered));
    json_object_set_new(object, "more", json_boolean(source->more));
    if (!answered) {
        g_autofree char *key = g_strconcat("inzage.source.", source_state_name(source->state), NULL);
        json_object_set_new(object, "reason", json_string(phrase(view->language, key)));
    } else if (source->oldest_ms > 0) {
        set_sentence(object, "since", phrase_date(view->language, source->oldest_ms, TIME_ZONE));
    } else {
        json_object_set_new(
            object, "since",
            json_string(phrase(view->language,
                               source->oldest_known ? "inzage.source.empty" : "inzage.source.unknown")));
    }
    if (source->unreadable > 0) {
        g_autofree char *n = g_strdup_printf("%u", source->unreadable);
        set_sentence(object, "unreadable",
                     phrase_format(view->language, "inzage.source.some_unreadable", "n", n, NULL));
    }
    return object;
}

json_t *view_sources(const View *view)
{
    json_t *list = json_array();
    for (guint pass = 0; pass < 2; pass++)
        for (guint i = 0; i < view->answers->sources->len; i++) {
            const Source *source = view->answers->sources->pdata[i];
            if ((source->state == SOURCE_ANSWERED) == (pass == 1))
                json_array_append_new(list, source_json(view, source));
        }
    return list;
}
