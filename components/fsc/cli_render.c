#include "components/fsc/cli_render.h"

#include <string.h>

#include "components/fsc/arguments.h"
#include "components/fsc/cli.h"
#include "components/fsc/cli_grant.h"
#include "components/fsc/signature.h"
#include "core/format/json.h"

#define WIDTH 79
#define SHORT_HASH 12
#define INDENT 13

char *render_short_hash(const char *hash)
{
    const char *digest = hash == NULL ? NULL : strrchr(hash, '$');
    return g_strndup(digest != NULL ? digest + 1 : hash, SHORT_HASH);
}

static void add_wrapped(GString *out, const char *label, const char *text)
{
    g_autofree char *wrapped = arguments_wrap(text, INDENT, WIDTH);
    g_string_append_printf(out, "%-*s%s\n", INDENT, label, wrapped);
}

/* Peer ID -> name, of the signers. */
static json_t *names_of(const json_t *contract)
{
    json_t *names = json_object();
    const json_t *peers = json_object_get(contract, "peers");
    for (gsize i = 0; i < json_array_size(peers); i++) {
        const json_t *peer = json_array_get(peers, i);
        if (json_string_at(peer, "peer_id") != NULL)
            json_object_set(names, json_string_at(peer, "peer_id"), json_object_get(peer, "name"));
    }
    return names;
}

/* --- lists --- */

static const char *lower_state(const json_t *contract, char *out, gsize size)
{
    const char *state = json_string_at(contract, "state");
    g_autofree char *lower = g_ascii_strdown(state != NULL ? state : "?", -1);
    g_strlcpy(out, lower, size);
    return out;
}

/* "brp of 0002 for 0003" without the names: fits a line beside the rest. */
static char *grant_line(const json_t *data)
{
    const json_t *service = json_object_get(data, "service"), *outway = json_object_get(data, "outway"),
                 *delegator = json_object_get(data, "delegator");
    const char *name = json_string_at(service, "name"), *provider = json_string_at(service, "peer_id"),
               *other =
                   json_string_at(outway != NULL ? outway : json_object_get(data, "directory"), "peer_id");
    return g_strdup_printf("%s %s.%s %s %s%s%s", outway != NULL ? "connection" : "publication", name,
                           provider, outway != NULL ? "for" : "in", other,
                           delegator != NULL ? " on behalf of " : "",
                           delegator != NULL ? json_string_at(delegator, "peer_id") : "");
}

char *render_contracts(const json_t *contracts)
{
    GString *out = g_string_new(NULL);
    char state[16];
    for (gsize i = 0; i < json_array_size(contracts); i++) {
        const json_t *contract = json_array_get(contracts, i), *grants = json_object_get(contract, "grants");
        g_autofree char *id = render_short_hash(json_string_at(contract, "hash"));
        g_autofree char *from = cli_time(json_integer_at(contract, "not_before"));
        g_autofree char *until = cli_time(json_integer_at(contract, "not_after"));
        g_string_append_printf(out, "%-12s %-9s %.10s .. %.10s\n", id,
                               lower_state(contract, state, sizeof state), from, until);
        for (gsize j = 0; j < json_array_size(grants); j++) {
            g_autofree char *line = grant_line(json_object_get(json_array_get(grants, j), "data"));
            add_wrapped(out, "", line);
        }
    }
    return g_string_free(out, FALSE);
}

/* RFC 4180: quoted when it must be. A cell that a spreadsheet would take for a formula gets an apostrophe. */
static void add_cell(GString *out, const char *text, gboolean last)
{
    const char *value = text != NULL ? text : "";
    gboolean formula = strchr("=+-@", *value) != NULL && *value != '\0';
    gboolean quote = strpbrk(value, ",\"\r\n") != NULL;
    g_autoptr(GString) escaped = g_string_new(value);
    g_string_replace(escaped, "\"", "\"\"", 0);
    g_string_append_printf(out, "%s%s%s%s%s", quote ? "\"" : "", formula ? "'" : "", escaped->str,
                           quote ? "\"" : "", last ? "\r\n" : ",");
}

static void add_csv_line(GString *out, const json_t *contract, const json_t *grant)
{
    const json_t *data = json_object_get(grant, "data"), *service = json_object_get(data, "service");
    g_autofree char *from = cli_time(json_integer_at(contract, "not_before"));
    g_autofree char *until = cli_time(json_integer_at(contract, "not_after"));
    const char *cells[] = {json_string_at(contract, "hash"),
                           json_string_at(contract, "state"),
                           from,
                           until,
                           json_string_at(grant, "hash"),
                           json_string_at(data, "type"),
                           json_string_at(service, "name"),
                           json_string_at(service, "peer_id"),
                           json_string_at(json_object_get(data, "outway"), "peer_id"),
                           json_string_at(json_object_get(data, "directory"), "peer_id"),
                           json_string_at(json_object_get(data, "delegator"), "peer_id")};
    for (gsize i = 0; i < G_N_ELEMENTS(cells); i++)
        add_cell(out, cells[i], i + 1 == G_N_ELEMENTS(cells));
}

char *render_contracts_csv(const json_t *contracts)
{
    GString *out =
        g_string_new("contract,state,not_before,not_after,grant,type,service,provider,outway,directory,"
                     "delegator\r\n");
    for (gsize i = 0; i < json_array_size(contracts); i++) {
        const json_t *contract = json_array_get(contracts, i), *grants = json_object_get(contract, "grants");
        for (gsize j = 0; j < json_array_size(grants); j++)
            add_csv_line(out, contract, json_array_get(grants, j));
    }
    return g_string_free(out, FALSE);
}

/* --- one contract --- */

static char *signatures_of(const json_t *peer)
{
    g_autoptr(GString) out = g_string_new(NULL);
    static const char *const done[SIGNATURE_TYPE_COUNT] = {"accepted", "rejected", "revoked"};
    for (int type = 0; type < SIGNATURE_TYPE_COUNT; type++) {
        const char *name = signature_type_name((SignatureType)type);
        if (json_object_get(peer, name) == NULL)
            continue;
        g_autofree char *when = cli_time(json_integer_at(peer, name));
        g_string_append_printf(out, "%s%s on %s", out->len > 0 ? ", " : "", done[type], when);
    }
    return out->len > 0 ? g_strdup(out->str) : g_strdup("has not signed");
}

static void add_signers(GString *out, const json_t *contract)
{
    const json_t *peers = json_object_get(contract, "peers");
    for (gsize i = 0; i < json_array_size(peers); i++) {
        const json_t *peer = json_array_get(peers, i);
        g_autofree char *what = signatures_of(peer);
        g_autofree char *line = g_strdup_printf("%s (%s): %s", json_string_at(peer, "name"),
                                                json_string_at(peer, "peer_id"), what);
        add_wrapped(out, i == 0 ? "signers" : "", line);
    }
}

static char *waiting_line(const json_t *peer, const json_t *message)
{
    const char *error = json_string_at(message, "last_error");
    return g_strdup_printf(
        "%s %s our %s, %s after %" G_GINT64_FORMAT " tries%s%s", json_string_at(peer, "name"), "has not got",
        json_string_at(message, "type"), json_boolean_at(message, "dead") ? "put aside" : "tried again",
        json_integer_at(message, "tries"), error != NULL ? ": " : "", error != NULL ? error : "");
}

static void add_delivery(GString *out, const json_t *contract)
{
    const json_t *peers = json_object_get(contract, "delivery");
    const char *label = "delivery";
    for (gsize i = 0; i < json_array_size(peers); i++) {
        const json_t *peer = json_array_get(peers, i), *waiting = json_object_get(peer, "waiting");
        for (gsize j = 0; j < json_array_size(waiting); j++, label = "") {
            g_autofree char *line = waiting_line(peer, json_array_get(waiting, j));
            add_wrapped(out, label, line);
        }
        if (json_array_size(waiting) > 0)
            continue;
        g_autofree char *line =
            g_strdup_printf("%s has everything that we signed", json_string_at(peer, "name"));
        add_wrapped(out, label, line);
        label = "";
    }
}

char *render_contract(const json_t *contract, gint64 now_s)
{
    GString *out = g_string_new(NULL);
    char state[16];
    g_autoptr(json_t) names = names_of(contract);
    gint64 from = json_integer_at(contract, "not_before"), until = json_integer_at(contract, "not_after");
    g_autofree char *begins = cli_time(from);
    g_autofree char *ends = cli_time(until);
    g_autofree char *created = cli_time(json_integer_at(contract, "created_at"));
    g_string_append_printf(out, "%s\n", json_string_at(contract, "hash"));
    add_wrapped(out, "state", lower_state(contract, state, sizeof state));
    g_string_append_printf(out, "%-*s%s .. %s UTC", INDENT, "period", begins, ends);
    if (now_s >= from && now_s <= until)
        g_string_append_printf(out, ", %" G_GINT64_FORMAT " days left", (until - now_s) / 86400);
    g_string_append_printf(out, "\n%-*s%s UTC\n", INDENT, "made", created);
    add_signers(out, contract);
    add_delivery(out, contract);
    const json_t *grants = json_object_get(contract, "grants");
    for (gsize i = 0; i < json_array_size(grants); i++) {
        const json_t *grant = json_array_get(grants, i);
        g_autofree char *label = g_strdup_printf("grant %zu", i + 1);
        g_autofree char *words = grant_in_words(json_object_get(grant, "data"), names);
        add_wrapped(out, label, words);
        g_string_append_printf(out, "%s\n", json_string_at(grant, "hash"));
    }
    return g_string_free(out, FALSE);
}

/* --- Peers, services, logs --- */

char *render_peers(const json_t *peers)
{
    GString *out = g_string_new(NULL);
    for (gsize i = 0; i < json_array_size(peers); i++) {
        const json_t *peer = json_array_get(peers, i);
        const char *address = json_string_at(peer, "manager_address");
        g_string_append_printf(out, "%s  %s\n%22s%s\n", json_string_at(peer, "peer_id"),
                               json_string_at(peer, "name"), "",
                               address != NULL ? address : "address not verified");
    }
    return g_string_free(out, FALSE);
}

char *render_services(const json_t *services)
{
    GString *out = g_string_new(NULL);
    for (gsize i = 0; i < json_array_size(services); i++) {
        const json_t *data = json_object_get(json_array_get(services, i), "data"),
                     *peer = json_object_get(data, "peer"), *delegator = json_object_get(data, "delegator");
        const char *protocol = json_string_at(data, "protocol"),
                   *behalf = json_string_at(delegator, "peer_name");
        g_string_append_printf(out, "%s.%s\n    %s%s%s%s%s\n", json_string_at(data, "name"),
                               json_string_at(peer, "id"), json_string_at(peer, "name"),
                               behalf != NULL ? " on behalf of " : "", behalf != NULL ? behalf : "",
                               protocol != NULL ? ", " : "", protocol != NULL ? protocol : "");
    }
    return g_string_free(out, FALSE);
}

char *render_logs(const json_t *records)
{
    GString *out = g_string_new(NULL);
    for (gsize i = 0; i < json_array_size(records); i++) {
        const json_t *record = json_array_get(records, i), *source = json_object_get(record, "source"),
                     *destination = json_object_get(record, "destination");
        const char *direction = json_string_at(record, "direction");
        gboolean incoming = g_strcmp0(direction, "DIRECTION_INCOMING") == 0;
        g_autofree char *when = cli_time(json_integer_at(record, "created_at"));
        g_string_append_printf(
            out, "%s %s %s\n    %s.%s for %s\n", when, incoming ? "in " : "out",
            json_string_at(record, "transaction_id"), json_string_at(record, "service_name"),
            json_string_at(destination, "service_peer_id"), json_string_at(source, "outway_peer_id"));
    }
    return g_string_free(out, FALSE);
}

/* --- progress --- */

static const json_t *peer_in(const json_t *contract, const char *peer_id)
{
    const json_t *peers = json_object_get(contract, "peers");
    for (gsize i = 0; i < json_array_size(peers); i++)
        if (g_strcmp0(json_string_at(json_array_get(peers, i), "peer_id"), peer_id) == 0)
            return json_array_get(peers, i);
    return NULL;
}

char *render_progress(const json_t *before, const json_t *after)
{
    GString *out = g_string_new(NULL);
    const json_t *peers = json_object_get(after, "peers");
    for (gsize i = 0; i < json_array_size(peers); i++) {
        const json_t *peer = json_array_get(peers, i),
                     *old = peer_in(before, json_string_at(peer, "peer_id"));
        g_autofree char *now = signatures_of(peer);
        g_autofree char *then = old != NULL ? signatures_of(old) : NULL;
        if (g_strcmp0(now, then) != 0)
            g_string_append_printf(out, "  %s %s: %s\n", json_string_at(peer, "peer_id"),
                                   json_string_at(peer, "name"), now);
    }
    return g_string_free(out, FALSE);
}
