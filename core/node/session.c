#include "core/node/session.h"

#include <string.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/crypto/digest.h"
#include "core/format/json.h"
#include "core/node/session_private.h"

#define COOKIE_BYTES 32
#define TOUCH_MS 60000 /* how old "seen" may be: not every request writes */
#define DATA_KEY "node.session"

/* What is made of the cookie. */
typedef struct {
    guint8 id[SHA256_SIZE];
    guint8 key[32];
    char *context; /* the id in hexadecimal: a sealed subject fits its own row only */
} Ticket;

static void ticket_clear(Ticket *ticket)
{
    secret_wipe(ticket->key, sizeof ticket->key);
    g_clear_pointer(&ticket->context, g_free);
}

static void wipe_free(char *text)
{
    if (text != NULL)
        secret_wipe(text, strlen(text));
    g_free(text);
}

void session_free(Session *session)
{
    if (session == NULL)
        return;
    wipe_free(session->subject);
    wipe_free(session->actor);
    wipe_free(session->display_name);
    g_free(session->mandate);
    g_free(session);
}

static void ticket_from_bytes(Ticket *ticket, const guint8 *secret)
{
    sha256(secret, COOKIE_BYTES, ticket->id);
    hkdf_sha256(secret, COOKIE_BYTES, "fundament session", ticket->key, sizeof ticket->key);
    ticket->context = hex_encode(ticket->id, sizeof ticket->id);
}

static gboolean ticket_from_cookie(Ticket *ticket, const Request *request)
{
    const char *cookie = request_cookie(request, SESSION_COOKIE);
    if (cookie == NULL)
        return FALSE;
    g_autoptr(GBytes) secret = base64url_decode(cookie, -1, NULL);
    if (secret == NULL || g_bytes_get_size(secret) != COOKIE_BYTES)
        return FALSE;
    ticket_from_bytes(ticket, g_bytes_get_data(secret, NULL));
    return TRUE;
}

/* --- the sealed part --- */

static GBytes *session_seal(const Session *session, const Ticket *ticket)
{
    json_t *object =
        json_pack("{s:s, s:s*, s:s*, s:s*, s:i, s:i, s:b}", "subject", session->subject, "actor",
                  session->actor, "mandate", session->mandate, "display_name", session->display_name, "role",
                  (int)session->role, "level", session->level, "test_means", (int)session->test_means);
    char *text = json_write(object);
    GBytes *sealed = seal(ticket->key, ticket->context, text, strlen(text));
    wipe_free(text);
    json_decref(object);
    return sealed;
}

static Session *session_from_json(const json_t *object)
{
    Session *session = g_new0(Session, 1);
    session->subject = g_strdup(json_string_at(object, "subject"));
    session->actor = g_strdup(json_string_at(object, "actor"));
    session->mandate = g_strdup(json_string_at(object, "mandate"));
    session->display_name = g_strdup(json_string_at(object, "display_name"));
    session->role = json_integer_at(object, "role") == SESSION_STAFF ? SESSION_STAFF : SESSION_CITIZEN;
    session->level = (int)json_integer_at(object, "level");
    session->test_means = json_boolean_at(object, "test_means");
    return session;
}

static Session *session_unseal(const Ticket *ticket, GBytes *sealed)
{
    g_autoptr(GBytes) text = unseal(ticket->key, ticket->context, sealed, NULL);
    if (text == NULL)
        return NULL;
    g_autoptr(json_t) object =
        json_parse_strict(g_bytes_get_data(text, NULL), (gssize)g_bytes_get_size(text), NULL, NULL);
    return json_is_object(object) ? session_from_json(object) : NULL;
}

/* --- the table --- */

static gboolean row_insert(Node *node, const Ticket *ticket, GBytes *sealed, GError **error)
{
    gint64 now = clock_now_ms(node_clock(node));
    g_autoptr(Db) db = store_take(node_store(node), error);
    return db != NULL &&
           db_run(db, error,
                  "INSERT INTO node_sessions (id, sealed, created_ms, seen_ms) VALUES (?1, ?2, ?3, ?3)",
                  value_blob(ticket->id, sizeof ticket->id), value_bytes(sealed), value_integer(now));
}

static gboolean row_delete(Node *node, const Ticket *ticket, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(node), error);
    return db != NULL && db_run(db, error, "DELETE FROM node_sessions WHERE id = ?1",
                                value_blob(ticket->id, sizeof ticket->id));
}

/* The sealed part, when the session still lives; that it was seen is written down. */
static GBytes *row_find(Node *node, const Ticket *ticket)
{
    gint64 now = clock_now_ms(node_clock(node));
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(node_store(node), &error);
    g_autoptr(Rows) rows =
        db == NULL ? NULL
                   : db_query(db, &error,
                              "SELECT sealed, seen_ms FROM node_sessions WHERE id = ?1 AND seen_ms >= ?2 AND "
                              "created_ms >= ?3",
                              value_blob(ticket->id, sizeof ticket->id), value_integer(now - SESSION_IDLE_MS),
                              value_integer(now - SESSION_LONGEST_MS));
    if (rows == NULL)
        g_warning("session: %s", error->message);
    if (rows == NULL || !rows_next(rows))
        return NULL;
    if (now - rows_integer(rows, 1) >= TOUCH_MS &&
        !db_run(db, &error, "UPDATE node_sessions SET seen_ms = ?2 WHERE id = ?1",
                value_blob(ticket->id, sizeof ticket->id), value_integer(now)))
        g_warning("session: %s", error->message);
    gsize length = 0;
    gconstpointer sealed = rows_blob(rows, 0, &length);
    return g_bytes_new(sealed, length);
}

/* --- for others --- */

static Session *session_copy(const Session *session)
{
    Session *copy = g_memdup2(session, sizeof *session);
    copy->subject = g_strdup(session->subject);
    copy->actor = g_strdup(session->actor);
    copy->mandate = g_strdup(session->mandate);
    copy->display_name = g_strdup(session->display_name);
    return copy;
}

static void remember(Request *request, Session *session)
{
    request_set_data(request, DATA_KEY, session, (GDestroyNotify)session_free);
}

gboolean session_start(Node *node, Request *request, const Session *session, GError **error)
{
    guint8 secret[COOKIE_BYTES];
    Ticket ticket, before;
    /* A cookie that was there before signing in is never the one after it (session fixation). */
    if (ticket_from_cookie(&before, request)) {
        gboolean deleted = row_delete(node, &before, error);
        ticket_clear(&before);
        if (!deleted)
            return FALSE;
    }
    random_fill(secret, sizeof secret);
    ticket_from_bytes(&ticket, secret);
    g_autoptr(GBytes) sealed = session_seal(session, &ticket);
    gboolean stored = row_insert(node, &ticket, sealed, error);
    ticket_clear(&ticket);
    if (stored) {
        char *cookie = base64url_encode(secret, sizeof secret);
        respond_cookie(request, SESSION_COOKIE, cookie, SESSION_LONGEST_MS / 1000);
        wipe_free(cookie);
        remember(request, session_copy(session));
    }
    secret_wipe(secret, sizeof secret);
    return stored;
}

const Session *session_of(Node *node, Request *request)
{
    Ticket ticket;
    const Session *known = request_get_data(request, DATA_KEY);
    if (known != NULL || !ticket_from_cookie(&ticket, request))
        return known;
    g_autoptr(GBytes) sealed = row_find(node, &ticket);
    Session *session = sealed == NULL ? NULL : session_unseal(&ticket, sealed);
    ticket_clear(&ticket);
    if (session != NULL)
        remember(request, session);
    return session;
}

gboolean session_end(Node *node, Request *request, GError **error)
{
    Ticket ticket;
    gboolean ended = TRUE;
    if (ticket_from_cookie(&ticket, request)) {
        ended = row_delete(node, &ticket, error);
        ticket_clear(&ticket);
    }
    if (!ended)
        return FALSE;
    remember(request, NULL);
    respond_cookie(request, SESSION_COOKIE, "", 0);
    return TRUE;
}
