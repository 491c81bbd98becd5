/* The first page for officers: what waits for a person, what fails, what runs out. */
#include "components/fsc/pages.h"

#include "core/format/json.h"
#include "core/net/page.h"

void fsc_page_home(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(FscView) view = fsc_view_new(fsc, request);
    if (officer_enter(fsc->node, request, OFFICER_READER, "fsc.home.look", "") == NULL)
        return;
    json_t *page = fsc_view_page(view, "/", "home");
    fsc_view_answer(view, "home", page);
}
