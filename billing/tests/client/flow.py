"""What an operator's program does with the generated client, step by step.

The last line is "N passed, N failed, N skipped"; each step builds on those before it.
"""

import datetime
import io
import sys
import time
import traceback

from billing_client import AuthenticatedClient
from billing_client.api.audit import list_audit
from billing_client.api.decisions import list_questions
from billing_client.api.doors import search_intercoms, show_history, undo_replacement
from billing_client.api.imports import add_import
from billing_client.api.intercoms import create_intercom, delete_intercom, show_intercom, update_intercom
from billing_client.api.requests import cancel_request, make_request, search_requests
from billing_client.models import AuditAction, Errors, Message, NewIntercom, NewRequest, Patch, RequestState
from billing_client.types import File

from programs import MODEL, Panel, Service

OLD, OLD_SERIAL_NUMBER = "02:00:00:00:00:01", "S-OLD"
NEW, NEW_SERIAL_NUMBER = "02:00:00:00:00:02", "S-NEW"
UNUSED = "02:00:00:00:00:03"


class Flow:
    def __init__(self, service, panel):
        self.panel = panel
        # An answer with a status that the document does not have is an error.
        self.client = AuthenticatedClient(
            service.url, service.operator, raise_on_unexpected_status=True, httpx_args={"trust_env": False})
        self.id = None

    def show(self):
        return show_intercom.sync(client=self.client, id=self.id)

    def wait_for(self, what, holds):
        end = time.monotonic() + 30
        while not holds():
            if time.monotonic() > end:
                raise AssertionError(f"{what}: not within 30 s; {self.show()}\n{self.panel.log()}")
            time.sleep(0.1)

    def an_intercom_is_created(self):
        body = NewIntercom(mac=OLD, serial_number=OLD_SERIAL_NUMBER, model=MODEL)
        made = create_intercom.sync(client=self.client, body=body)
        assert (made.mac, made.status, made.group) == (OLD, "empty", None), made
        self.id = made.id

    def it_gets_its_place(self):
        body = Patch(id=self.id, group_id=6, title="North gate", flat_from=1, flat_to=40)
        placed = update_intercom.sync(client=self.client, body=body)
        assert (placed.title, placed.group.id, placed.flat_to) == ("North gate", 6, 40), placed

    def its_panel_is_on_line(self):
        self.wait_for("the panel", lambda: search_intercoms.sync(client=self.client, title="north", online=True).intercoms)

    def what_is_wrong_is_told_by_field(self):
        body = Patch(id=self.id, group_id=6, new_mac="no MAC address", model=MODEL)
        refused = update_intercom.sync(client=self.client, body=body)
        assert isinstance(refused, Errors) and list(refused.errors.additional_properties) == ["new_mac"], refused

    def what_is_not_there_is_told(self):
        missing = show_intercom.sync(client=self.client, id=4711)
        assert isinstance(missing, Message), missing

    def a_dry_run_says_who_is_asked(self):
        body = NewRequest(id=self.id, group_id=6, new_mac=NEW, model=MODEL, dry_run=True)
        plan = make_request.sync(client=self.client, body=body)
        assert (plan.from_.mac, plan.to.mac, plan.conflicts, plan.panel.online) == (OLD, NEW, [], True), plan
        assert plan.request_id is None and plan.wait.text, plan

    def the_documented_patch_asks_for_another_identity(self):
        # Not before an hour from now: it is seen as pending for certain.
        later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
        body = Patch(mac=OLD, group_id=6, new_mac=UNUSED, model=MODEL, not_before=later)
        desired = update_intercom.sync(client=self.client, body=body)
        assert (desired.id, desired.mac, desired.status) == (self.id, UNUSED, "pending"), desired

    def its_request_is_pending(self):
        page = search_requests.sync(client=self.client, state=RequestState.PENDING, limit=10)
        (request,) = page.requests
        assert (request.from_.mac, request.to.mac) == (OLD, UNUSED), request
        assert request.wait.text and isinstance(request.wait.until, datetime.datetime), request
        self.request_id = request.request_id

    def it_is_cancelled(self):
        cancelled = cancel_request.sync(client=self.client, id=self.request_id)
        assert cancelled.state == RequestState.CANCELLED, cancelled
        assert self.show().mac == OLD

    def the_panel_takes_an_identity(self):
        body = Patch(id=self.id, group_id=6, new_mac=NEW, new_serial_number=NEW_SERIAL_NUMBER, model=MODEL)
        update_intercom.sync(client=self.client, body=body)
        self.wait_for("the replacement", lambda: self.show().status == "installed")
        shown = self.show()
        assert (shown.mac, shown.serial_number, self.panel.mac()) == (NEW, NEW_SERIAL_NUMBER, NEW), shown

    def it_is_found_by_what_it_had(self):
        (found,) = search_intercoms.sync(client=self.client, mac=OLD).intercoms
        assert (found.id, found.confirmed.mac, found.pending) == (self.id, NEW, None), found

    def its_history_has_both_identities(self):
        history = show_history.sync(self.id, client=self.client)
        assert [hardware.mac for hardware in history.hardware] == [NEW, OLD], history
        assert [request.state for request in history.requests] == [RequestState.INSTALLED, RequestState.CANCELLED], history

    def what_is_installed_is_not_cancelled(self):
        installed = show_history.sync(self.id, client=self.client).requests[0]
        refused = cancel_request.sync(client=self.client, id=installed.request_id)
        assert isinstance(refused, Message), refused

    def it_goes_back(self):
        undone = undo_replacement.sync(self.id, client=self.client)
        assert (undone.to.mac, undone.cause) == (OLD, "undo"), undone
        self.wait_for("the way back", lambda: self.show().status == "installed" and self.panel.mac() == OLD)
        assert self.show().serial_number == OLD_SERIAL_NUMBER

    def the_list_of_requests_is_paged(self):
        states, cursor = [], None
        while page := search_requests.sync(client=self.client, intercom=self.id, limit=1, **({"cursor": cursor} if cursor else {})):
            states += [request.state for request in page.requests]
            cursor = page.next_
            if cursor is None:
                break
        assert states == [RequestState.INSTALLED, RequestState.INSTALLED, RequestState.CANCELLED], states

    def a_file_with_replacements_is_checked(self):
        rows = File(payload=io.BytesIO(f"id,new_mac\n{self.id},{UNUSED}\n".encode()))
        checked = add_import.sync(client=self.client, body=rows)
        assert (checked.state, checked.total, checked.wrong) == ("checked", 1, 0), checked

    def nothing_waits_for_an_operator(self):
        assert list_questions.sync(client=self.client) == []

    def who_did_it_is_in_the_audit_log(self):
        (entry,) = list_audit.sync(client=self.client, action=AuditAction.CANCEL).entries
        assert (entry.actor, entry.request_id) == ("token 1", self.request_id), entry

    def it_is_deleted(self):
        deleted = delete_intercom.sync_detailed(client=self.client, id=self.id)
        assert deleted.status_code == 204, deleted
        assert isinstance(self.show(), Message)


STEPS = (
    Flow.an_intercom_is_created,
    Flow.it_gets_its_place,
    Flow.its_panel_is_on_line,
    Flow.what_is_wrong_is_told_by_field,
    Flow.what_is_not_there_is_told,
    Flow.a_dry_run_says_who_is_asked,
    Flow.the_documented_patch_asks_for_another_identity,
    Flow.its_request_is_pending,
    Flow.it_is_cancelled,
    Flow.the_panel_takes_an_identity,
    Flow.it_is_found_by_what_it_had,
    Flow.its_history_has_both_identities,
    Flow.what_is_installed_is_not_cancelled,
    Flow.it_goes_back,
    Flow.the_list_of_requests_is_paged,
    Flow.a_file_with_replacements_is_checked,
    Flow.nothing_waits_for_an_operator,
    Flow.who_did_it_is_in_the_audit_log,
    Flow.it_is_deleted,
)


def main():
    service = Service()
    panel = Panel(service, "gate-1", OLD, OLD_SERIAL_NUMBER)
    passed = failed = 0
    try:
        flow = Flow(service, panel)
        for step in STEPS:
            step(flow)
            print("passed:", step.__name__.replace("_", " "))
            passed += 1
    except Exception:
        print("failed:", step.__name__.replace("_", " "))
        traceback.print_exc(file=sys.stdout)
        failed = 1
    finally:
        panel.close()
        service.close()
    print(f"{passed} passed, {failed} failed, {len(STEPS) - passed - failed} skipped")
    return 1 if failed else 0


sys.exit(main())
