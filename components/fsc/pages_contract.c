/* One contract: what it allows, who signed, what our policy says of it, what has reached whom, and what a
 * signer can do. */
#include "components/fsc/pages.h"

#include <string.h>

#include "components/fsc/delivery.h"
#include "components/fsc/intentions.h"
#include "components/fsc/picture.h"
#include "components/fsc/policy.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/page.h"
#include "core/net/phrases.h"

#define INTENTIONS_A_CONTRACT SIGNATURE_TYPE_COUNT

/* --- what there is --- */

/* A proposal of ours that waits for its second signer: not a contract yet, but it looks like one. */
static StoredContract *from_intention(const Intention *intention, GError **error)
{
    Contract *contract = contract_parse_text(intention->content, error);
    if (contract == NULL)
        return NULL;
    StoredContract *stored = g_new0(StoredContract, 1);
    stored->contract = contract;
    stored->signatures = g_ptr_array_new();
    return stored;
}

/* The contract with this hash, or the proposal that waits; `intentions` gets those that wait, or NULLs. */
StoredContract *fsc_page_load(Fsc *fsc, const char *hash, Intention *intentions[INTENTIONS_A_CONTRACT],
                              GError **error)
{
    g_autoptr(GError) fault = NULL;
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    if (db == NULL)
        return NULL;
    for (int type = 0; type < SIGNATURE_TYPE_COUNT; type++) {
        intentions[type] = intentions_find(db, hash, (SignatureType)type, fsc_now_ms(fsc), &fault);
        if (fault != NULL) {
            g_propagate_error(error, g_steal_pointer(&fault));
            return NULL;
        }
    }
    StoredContract *stored = fsc_store_load(db, hash, &fault);
    if (stored == NULL && intentions[SIGNATURE_ACCEPT] != NULL &&
        intentions[SIGNATURE_ACCEPT]->content != NULL)
        return from_intention(intentions[SIGNATURE_ACCEPT], error);
    if (stored == NULL)
        g_propagate_error(error, g_steal_pointer(&fault));
    return stored;
}

/* --- signatures --- */

typedef struct {
    Mark mark;
    gint64 at; /* 0 while it waits */
} Stand;

static Stand stand_of(const StoredContract *stored, const char *peer_id)
{
    static const struct {
        SignatureType type;
        Mark mark;
    } order[] = {{SIGNATURE_REVOKE, MARK_REVOKED},
                 {SIGNATURE_REJECT, MARK_REJECTED},
                 {SIGNATURE_ACCEPT, MARK_ACCEPTED}};
    for (gsize i = 0; i < G_N_ELEMENTS(order); i++) {
        const StoredSignature *signature = stored_contract_signature(stored, peer_id, order[i].type);
        if (signature != NULL)
            return (Stand){order[i].mark, signature->signed_at};
    }
    return (Stand){MARK_WAITS, 0};
}

static char *stand_text(const FscView *view, Stand stand)
{
    static const char *const keys[MARK_COUNT] = {"fsc.signed.waits", "fsc.signed.accepted",
                                                 "fsc.signed.rejected", "fsc.signed.revoked"};
    g_autofree char *when = stand.at == 0 ? NULL : fsc_view_date(view, stand.at);
    return phrase_format(view->language, keys[stand.mark], "date", when == NULL ? "" : when, NULL);
}

/* "Name: what it did." for each, which is what the picture shows. */
static char *description_of(const SignatureBox *boxes, gsize count)
{
    GString *text = g_string_new(NULL);
    for (gsize i = 0; i < count; i++)
        g_string_append_printf(text, "%s%s: %s.", i == 0 ? "" : " ", boxes[i].name, boxes[i].line);
    return g_string_free(text, FALSE);
}

static void add_picture(json_t *page, FscView *view, const StoredContract *stored)
{
    guint count = stored->contract->signers->len;
    g_autofree SignatureBox *boxes = g_new0(SignatureBox, count);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < count; i++) {
        const char *peer_id = stored->contract->signers->pdata[i];
        Stand stand = stand_of(stored, peer_id);
        char *line = stand_text(view, stand);
        g_ptr_array_add(lines, line);
        boxes[i] = (SignatureBox){fsc_view_name(view, peer_id), line, stand.mark};
    }
    ContractState state = stored_contract_state(stored, fsc_now_s(view->fsc));
    g_autoptr(json_t) state_text = fsc_view_state(view, state);
    g_autofree char *heading = phrase_format(view->language, "fsc.contract.picture_heading", "state",
                                             json_string_at(state_text, "text"), NULL);
    g_autofree char *description = description_of(boxes, count);
    PictureText text = {.title = fsc_view_phrase(view, "contract.signatures"),
                        .description = description,
                        .heading = heading};
    g_autofree char *picture = picture_signatures(boxes, count, &text);
    json_object_set_new(page, "picture", json_string(picture));
}

/* Every signature, in the order in which they came. */
static json_t *signature_rows(FscView *view, const StoredContract *stored)
{
    json_t *rows = json_array();
    for (guint i = 0; i < stored->signatures->len; i++) {
        const StoredSignature *signature = stored->signatures->pdata[i];
        g_autofree char *key = g_strconcat("fsc.signature.", signature_type_name(signature->type), NULL);
        g_autofree char *at = fsc_view_time(view, signature->signed_at * 1000);
        g_autofree char *until = fsc_view_date(view, signature->not_after);
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s}", "name",
                                              fsc_view_name(view, signature->peer_id), "type",
                                              phrase(view->language, key), "at", at, "until", until));
    }
    return rows;
}

/* --- grants --- */

static void add_fact(json_t *facts, const FscView *view, const char *key, const char *value)
{
    if (value != NULL)
        json_array_append_new(facts,
                              json_pack("{s:s, s:s}", "name", fsc_view_phrase(view, key), "value", value));
}

static json_t *grant_json(FscView *view, const Grant *grant)
{
    json_t *facts = json_array();
    g_autofree char *sentence = fsc_view_grant(view, grant);
    g_autofree char *properties =
        grant->properties == NULL ? NULL : json_dumps(grant->properties, JSON_INDENT(2));
    add_fact(facts, view, "grant.service", grant->service_name);
    add_fact(facts, view, "grant.service_peer", grant->service_peer_id);
    add_fact(facts, view, "grant.outway_peer", grant->outway_peer_id);
    add_fact(facts, view, "grant.thumbprint", grant->public_key_thumbprint);
    add_fact(facts, view, "grant.domain", grant->domain_name);
    add_fact(facts, view, "grant.protocol", grant->protocol);
    add_fact(facts, view, "grant.hash", grant->hash);
    json_t *object = json_pack("{s:s, s:s, s:o}", "text", sentence, "summary",
                               fsc_view_phrase(view, "grant.details"), "facts", facts);
    if (properties != NULL)
        json_object_set_new(object, "properties", json_string(properties));
    return object;
}

static json_t *grants_json(FscView *view, const Contract *contract)
{
    json_t *grants = json_array();
    for (gsize i = 0; i < contract->n_grants; i++)
        json_array_append_new(grants, grant_json(view, &contract->grants[i]));
    return grants;
}

/* --- policy --- */

static void add_conditions(json_t *rules, const json_t *rule)
{
    size_t i;
    const json_t *condition;
    json_t *conditions = json_array();
    json_array_foreach(json_object_get(rule, "conditions"), i, condition) json_array_append_new(
        conditions, json_pack("{s:s, s:b, s:s}", "key", json_string_at(condition, "key"), "met",
                              json_boolean_at(condition, "met"), "why", json_string_at(condition, "why")));
    json_array_append_new(rules, json_pack("{s:s, s:b, s:o}", "name", json_string_at(rule, "rule"), "matched",
                                           json_boolean_at(rule, "matched"), "conditions", conditions));
}

static json_t *policy_rules(const json_t *verdict)
{
    size_t i, j;
    const json_t *grant, *rule;
    json_t *rules = json_array();
    json_array_foreach(json_object_get(verdict, "grants"), i, grant)
        json_array_foreach(json_object_get(grant, "rules"), j, rule) add_conditions(rules, rule);
    return rules;
}

static void add_policy(json_t *page, const FscView *view, const Contract *contract)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) verdict = policy_explain(view->fsc, contract, &error);
    const char *decision = verdict == NULL ? NULL : json_string_at(verdict, "decision");
    if (decision == NULL)
        return;
    g_autofree char *key = g_strconcat("fsc.policy.", decision, NULL);
    json_t *rules = policy_rules(verdict);
    json_object_set_new(page, "policy",
                        json_pack("{s:s, s:s, s:s*, s:b, s:o, s:b}", "text", phrase(view->language, key),
                                  "reason", json_string_at(verdict, "reason"), "rule",
                                  json_string_at(verdict, "rule"), "stale", json_boolean_at(verdict, "stale"),
                                  "rules", rules, "has_rules", json_array_size(rules) > 0));
}

/* --- delivery --- */

static json_t *delivery_row(const FscView *view, const json_t *peer)
{
    size_t i;
    const json_t *item;
    g_autoptr(GString) has = g_string_new(NULL);
    json_t *waiting = json_array();
    json_array_foreach(json_object_get(peer, "delivered"), i, item)
    {
        g_autofree char *key = g_strconcat("fsc.signature.", json_string_value(item), NULL);
        g_string_append_printf(has, "%s%s", has->len > 0 ? ", " : "", phrase(view->language, key));
    }
    json_array_foreach(json_object_get(peer, "waiting"), i, item)
    {
        g_autofree char *tries = g_strdup_printf("%" G_GINT64_FORMAT, json_integer_at(item, "tries"));
        g_autofree char *text = phrase_format(
            view->language, json_boolean_at(item, "dead") ? "fsc.delivery.stopped" : "fsc.delivery.tried",
            "n", tries, NULL);
        json_array_append_new(
            waiting, json_pack("{s:s, s:s*}", "text", text, "error", json_string_at(item, "last_error")));
    }
    return json_pack("{s:s, s:s, s:o}", "name", json_string_at(peer, "name"), "has",
                     has->len > 0 ? has->str : fsc_view_phrase(view, "nothing"), "waiting", waiting);
}

static void add_delivery(json_t *page, const FscView *view, const Contract *contract)
{
    size_t i;
    const json_t *peer;
    g_autoptr(json_t) peers = delivery_of_contract(view->fsc, contract->hash, NULL);
    json_t *rows = json_array();
    json_array_foreach(peers, i, peer) json_array_append_new(rows, delivery_row(view, peer));
    json_object_set_new(page, "has_delivery", json_boolean(json_array_size(rows) > 0));
    json_object_set_new(page, "delivery", rows);
}

/* --- what can be done --- */

gboolean fsc_page_can(const FscView *view, const StoredContract *stored, SignatureType type)
{
    const char *own = node_oin(view->fsc->node);
    gboolean accepted = stored_contract_signature(stored, own, SIGNATURE_ACCEPT) != NULL;
    ContractState state = stored_contract_state(stored, fsc_now_s(view->fsc));
    if (!contract_has_signer(stored->contract, own) || !signing_allows(state, type) ||
        stored_contract_signature(stored, own, type) != NULL)
        return FALSE;
    return type == SIGNATURE_REVOKE ? accepted : !accepted; /* what we accepted is ended by a revoke */
}

static void add_actions(json_t *page, const FscView *view, const StoredContract *stored,
                        Intention *const intentions[INTENTIONS_A_CONTRACT])
{
    static const char *const kinds[SIGNATURE_TYPE_COUNT] = {"", " fn-button--danger", " fn-button--danger"};
    g_autofree char *path = fsc_view_contract_path(stored->contract->hash);
    json_t *actions = json_array();
    for (int type = 0; type < SIGNATURE_TYPE_COUNT; type++) {
        const char *name = signature_type_name((SignatureType)type);
        if (stored->id == 0 || !fsc_page_can(view, stored, (SignatureType)type) || intentions[type] != NULL)
            continue;
        g_autofree char *key = g_strconcat("fsc.act.", name, NULL);
        g_autofree char *href = g_strconcat(path, "/", name, NULL);
        json_array_append_new(actions, json_pack("{s:s, s:s, s:s}", "href", href, "text",
                                                 phrase(view->language, key), "kind", kinds[type]));
    }
    json_object_set_new(page, "has_actions", json_boolean(json_array_size(actions) > 0));
    json_object_set_new(page, "actions", actions);
}

static json_t *intention_json(const FscView *view, const char *path, const Intention *intention)
{
    const char *name = signature_type_name(intention->type);
    gboolean mine = strcmp(intention->actor, officer_of(view->request)->id) == 0;
    g_autofree char *act = g_strconcat("fsc.intends.", intention->content != NULL ? "propose" : name, NULL);
    g_autofree char *until = fsc_view_time(view, intention->expires_ms);
    g_autofree char *text =
        phrase_format(view->language, act, "actor", intention->actor, "until", until, NULL);
    return json_pack("{s:s, s:b, s:s++, s:s+, s:s}", "text", text, "mine", (int)mine, "confirm", path, "/",
                     name, "withdraw", "/voornemens/", intention->contract_hash, "type", name);
}

static void add_intentions(json_t *page, const FscView *view, const char *hash,
                           Intention *const intentions[INTENTIONS_A_CONTRACT])
{
    g_autofree char *path = fsc_view_contract_path(hash);
    json_t *list = json_array();
    for (int type = 0; type < SIGNATURE_TYPE_COUNT; type++)
        if (intentions[type] != NULL)
            json_array_append_new(list, intention_json(view, path, intentions[type]));
    json_object_set_new(page, "intentions", list);
}

/* --- the page --- */

/* What was just done, from the address to which the form sent the browser. */
static void add_done(json_t *page, const FscView *view)
{
    static const struct {
        const char *value, *key;
    } known[] = {{"accept", "fsc.done.accept"},     {"reject", "fsc.done.reject"},
                 {"revoke", "fsc.done.revoke"},     {"propose", "fsc.done.propose"},
                 {"intended", "fsc.done.intended"}, {"withdrawn", "fsc.done.withdrawn"}};
    const char *done = request_query(view->request, "gedaan");
    for (gsize i = 0; done != NULL && i < G_N_ELEMENTS(known); i++)
        if (strcmp(done, known[i].value) == 0)
            json_object_set_new(page, "done", json_string(phrase(view->language, known[i].key)));
}

static void add_facts(json_t *page, const FscView *view, const StoredContract *stored)
{
    const Contract *contract = stored->contract;
    g_autofree char *from = fsc_view_date(view, contract->not_before),
                    *to = fsc_view_date(view, contract->not_after),
                    *created = fsc_view_time(view, contract->created_at * 1000);
    json_t *state =
        stored->id == 0
            ? json_pack("{s:s, s:s}", "text", fsc_view_phrase(view, "state.intended"), "kind", "warning")
            : fsc_view_state(view, stored_contract_state(stored, fsc_now_s(view->fsc)));
    json_object_set_new(page, "state", state);
    json_object_set_new(page, "from", json_string(from));
    json_object_set_new(page, "to", json_string(to));
    json_object_set_new(page, "created", json_string(created));
    json_object_set_new(page, "hash", json_string(contract->hash));
}

static void show(FscView *view, const StoredContract *stored,
                 Intention *const intentions[INTENTIONS_A_CONTRACT])
{
    json_t *page = fsc_view_page(view, NULL, "contract");
    g_autofree char *sentence = fsc_view_grant(view, &stored->contract->grants[0]);
    json_object_set_new(page, "lede", json_string(sentence));
    office_breadcrumb(page, "/contracten", fsc_view_phrase(view, "nav.contracts"));
    add_done(page, view);
    add_facts(page, view, stored);
    add_actions(page, view, stored, intentions);
    add_intentions(page, view, stored->contract->hash, intentions);
    add_picture(page, view, stored);
    json_t *rows = signature_rows(view, stored);
    json_object_set_new(page, "has_signatures", json_boolean(json_array_size(rows) > 0));
    json_object_set_new(page, "signatures", rows);
    json_object_set_new(page, "grants", grants_json(view, stored->contract));
    add_policy(page, view, stored->contract);
    if (stored->id != 0)
        add_delivery(page, view, stored->contract);
    fsc_view_answer(view, "contract", page);
}

void fsc_page_intentions_clear(Intention *intentions[INTENTIONS_A_CONTRACT])
{
    for (int type = 0; type < SIGNATURE_TYPE_COUNT; type++)
        g_clear_pointer(&intentions[type], intention_free);
}

void fsc_page_contract(Request *request, gpointer context)
{
    Fsc *fsc = context;
    const char *hash = request_segment(request, "hash");
    Intention *intentions[INTENTIONS_A_CONTRACT] = {NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(FscView) view = fsc_view_new(fsc, request);
    if (!fsc_hash_parse(hash, NULL)) {
        page_problem(request, 404);
        return;
    }
    if (officer_enter(fsc->node, request, OFFICER_READER, "fsc.contract.look", hash) == NULL)
        return;
    g_autoptr(StoredContract) stored = fsc_page_load(fsc, hash, intentions, &error);
    if (stored != NULL)
        show(view, stored, intentions);
    else
        fsc_view_fail(view, error, "/contracten");
    fsc_page_intentions_clear(intentions);
}
