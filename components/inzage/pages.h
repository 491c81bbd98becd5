/* The pages of the portal: what they share, and their handlers. */
#pragma once

#include "components/inzage/internal.h"
#include "core/net/page.h"

/* The person of this request. NULL when nobody is signed in: the browser was sent to sign in then, and back
 * here after. */
const Session *page_session(Inzage *inzage, Request *request);

/* A context for respond_page(): the title, who is signed in, and the navigation with `current` (a path)
 * marked. Title and lede are taken. */
json_t *page_frame(const Inzage *inzage, Request *request, const Session *session, const char *current,
                   char *title, char *lede);

/* Where to go after signing in: `path` when it is a page of this portal, else NULL. Nothing else is ever
 * followed. */
const char *page_return_path(const char *path);

/* An answer to be kept as a file. */
void page_download(Request *request, const char *file_name, json_t *body);

void page_home(Request *request, gpointer context);
void page_sign_in(Request *request, gpointer context);
void page_sign_in_post(Request *request, gpointer context);
void page_sign_out(Request *request, gpointer context);
void page_uses(Request *request, gpointer context);
void page_uses_json(Request *request, gpointer context);
void page_case(Request *request, gpointer context);
void page_data(Request *request, gpointer context);
void page_data_json(Request *request, gpointer context);
void page_print(Request *request, gpointer context);
