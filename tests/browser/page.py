"""Checks the page of the billing service in a browser. Each check has a service of its own."""

import sys
import time
import traceback

from playwright.sync_api import expect, sync_playwright

sys.dont_write_bytecode = True

from service import CHECKOUT, Panel, Service  # noqa: E402

PICTURES = CHECKOUT / "target/browser"
OLD, NEW = "AA:BB:CC:DD:EE:FF", "22:0D:CE:38:E7:15"
PHONE = {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
DESK = {"viewport": {"width": 1280, "height": 800}}

# The elements that reach beyond the screen.
TOO_WIDE = """() => [...document.querySelectorAll("body *")]
    .filter((e) => !e.matches(".skip") && e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
    .map((e) => e.outerHTML.slice(0, 120))"""

# The texts whose contrast with what is behind them is below 4.5, as WCAG AA wants it.
TOO_PALE = """() => {
    const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => {
        const [R, G, B] = [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * R + 0.7152 * G + 0.0722 * B;
    };
    const behind = (e) => {
        for (; e; e = e.parentElement) {
            const colour = parse(getComputedStyle(e).backgroundColor);
            if (colour[3] !== 0) return colour;
        }
        return [255, 255, 255];
    };
    const hasText = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    return [...document.querySelectorAll("body *")].filter(hasText).map((e) => {
        const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
        return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.outerHTML.slice(0, 120)];
    }).filter(([contrast]) => contrast < 4.5);
}"""


class Visit:
    """One browser window on one service; every page that it shows is checked and kept as a picture."""

    def __init__(self, browser, service, name, **options):
        self.service, self.name, self.number = service, name, 0
        self.page = browser.new_context(base_url=service.url, **options).new_page()
        self.errors = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._on_console)

    def _on_console(self, line):
        # A form with something wrong in it, and a page that needs a sign-in, are pages as well.
        if line.type == "error" and not any(f"status of {status}" in line.text for status in (401, 422)):
            self.errors.append(line.text)

    def picture(self, what):
        self.number += 1
        self.page.screenshot(path=PICTURES / f"{self.name}-{self.number}-{what}.png", full_page=True)
        assert not (wide := self.page.evaluate(TOO_WIDE)), f"{what}: wider than the screen: {wide}"
        assert not (pale := self.page.evaluate(TOO_PALE)), f"{what}: too pale: {pale}"
        assert not self.errors, f"{what}: {self.errors}"

    def sign_in(self, token):
        self.page.goto("/")
        self.picture("sign-in")
        self.page.get_by_label("Token").fill(token)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Doors")).to_be_visible()


def replace(browser, name, **options):
    """The old panel is dead and the spare is on the wall: found by the old label, replaced by the new one."""
    service = Service()
    try:
        number = service.door("12 Mill Street, entrance B", OLD, "S-OLD-0001")
        spare = Panel(service, "spare", NEW, "S-NEW-0002")
        visit = Visit(browser, service, name, **options)
        visit.sign_in(service.operator)
        visit.picture("doors")
        page = visit.page
        page.get_by_label("Find a door").fill("aabb.ccdd.eeff")
        page.get_by_role("button", name="Find").click()
        page.wait_for_url(f"**/door?id={number}")
        expect(page.get_by_role("heading", name="12 Mill Street, entrance B")).to_be_visible()
        visit.picture("door")
        page.get_by_label("MAC address of the spare").fill("22:0D:CE")
        page.get_by_role("button", name="Replace").click()
        expect(page.get_by_role("alert")).to_be_visible()
        visit.picture("wrong")
        page.get_by_label("MAC address of the spare").fill("220dce38e715")
        page.get_by_label("Serial number of the spare").fill("S-NEW-0002")
        page.get_by_role("button", name="Replace").click()
        expect(page.locator("#door > .head .state")).to_have_text("pending")
        visit.picture("pending")
        # Nobody touches the page from here on: it follows by itself.
        spare.installs({"mac": NEW, "serial_number": "S-NEW-0002"})
        expect(page.locator("#door > .head .state")).to_have_text("installed")
        expect(page.locator("#door")).to_contain_text("on line")
        visit.picture("installed")
        for path in ["/requests", "/audit", "/settings", "/tokens"]:
            heading = path.strip("/").capitalize()
            page.goto(path)
            expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
            visit.picture(heading.lower())
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    finally:
        service.close()


def phone_light(browser):
    replace(browser, "phone-light", color_scheme="light", **PHONE)


def phone_dark(browser):
    replace(browser, "phone-dark", color_scheme="dark", **PHONE)


def desk(browser):
    replace(browser, "desk", color_scheme="light", **DESK)


def keyboard(browser):
    """The same without a pointer: every control is reached by Tab and shows that it is."""
    service = Service()
    try:
        service.door("12 Mill Street", OLD, "S-OLD-0001")
        visit = Visit(browser, service, "keyboard", **DESK)
        page = visit.page
        page.goto("/")
        expect(page.get_by_label("Token")).to_be_focused()
        page.keyboard.type(service.operator)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Doors")).to_be_visible()
        tab_to(page, page.get_by_label("Find a door"))
        page.keyboard.type("AA-BB-CC-DD-EE-FF")
        page.keyboard.press("Enter")
        page.wait_for_url("**/door?id=1")
        tab_to(page, page.get_by_label("MAC address of the spare"))
        page.keyboard.type(NEW)
        tab_to(page, page.get_by_role("button", name="Replace"))
        visit.picture("focus")
        page.keyboard.press("Enter")
        expect(page.locator("#door > .head .state")).to_have_text("pending")
    finally:
        service.close()


def tab_to(page, control):
    for _ in range(30):
        page.keyboard.press("Tab")
        if control.evaluate("(e) => e === document.activeElement"):
            outline = control.evaluate("(e) => getComputedStyle(e).outlineStyle")
            assert outline != "none", "nobody sees where the keyboard is"
            return
    raise AssertionError(f"Tab does not reach {control}")


# Sees two codes on every picture of the camera.
DETECTOR = """window.BarcodeDetector = class {
    async detect(source) {
        if (!(source instanceof HTMLVideoElement) || !source.srcObject) throw new Error("no camera");
        return [{ rawValue: "S-NEW-0002" }, { rawValue: "MAC:220DCE38E715" }];
    }
}"""


def label(browser):
    """The label of the spare is read by the camera, where the browser can; nothing is sent by that alone."""
    service = Service()
    try:
        service.door("12 Mill Street", OLD, "S-OLD-0001")
        visit = Visit(browser, service, "label", **PHONE)
        visit.sign_in(service.operator)
        page = visit.page
        page.goto("/door?id=1")
        expect(page.get_by_role("button", name="Replace")).to_be_visible()
        expect(page.get_by_role("button", name="Scan the label")).to_be_hidden()
        page.add_init_script(DETECTOR)
        page.reload()
        page.get_by_role("button", name="Scan the label").click()
        expect(page.get_by_label("MAC address of the spare")).to_have_value("220DCE38E715")
        expect(page.get_by_label("Serial number of the spare")).to_have_value("S-NEW-0002")
        expect(page.get_by_role("dialog")).to_be_hidden()
        visit.picture("read")
        expect(page.locator("#door > .head .state")).to_have_text("installed")
        page.evaluate("() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('denied')) }")
        page.get_by_role("button", name="Scan the label").click()
        expect(page.get_by_role("alert")).to_contain_text("Type what is on the label")
    finally:
        service.close()


def without_scripts(browser):
    """A browser that runs no scripts can read everything, and press the buttons."""
    service = Service()
    try:
        service.door("12 Mill Street", OLD, "S-OLD-0001")
        visit = Visit(browser, service, "without-scripts", java_script_enabled=False, **PHONE)
        page = visit.page
        page.goto("/")
        page.get_by_label("Token").fill(service.operator)
        page.get_by_role("button", name="Sign in").click()
        page.goto("/door?id=1")
        page.get_by_label("MAC address of the spare").fill(NEW)
        page.get_by_role("button", name="Replace").click()
        expect(page.locator("#door > .head .state")).to_have_text("pending")
    finally:
        service.close()


def settings(browser):
    """An operator with a phone sets quiet hours and adds a webhook, whose receiver is away."""
    service = Service()
    try:
        service.door("12 Mill Street", OLD, "S-OLD-0001")
        visit = Visit(browser, service, "settings", color_scheme="light", **PHONE)
        visit.sign_in(service.operator)
        page = visit.page
        page.get_by_role("link", name="Settings").click()
        page.get_by_label("Group").fill("6")
        page.get_by_label("They begin at").fill("22:00")
        page.get_by_label("They end at").fill("07:00")
        page.get_by_label("Time zone").fill("Berlin")
        set_hours = page.locator("form", has_text="Set those of a group").get_by_role("button")
        set_hours.click()
        expect(page.get_by_role("alert")).to_contain_text("must be a time zone")
        visit.picture("wrong")
        page.get_by_label("Time zone").fill("Europe/Berlin")
        set_hours.click()
        expect(page.locator("#quiet-hours")).to_contain_text("22:00 to 07:00, Europe/Berlin")
        page.get_by_label("Where events are posted").fill(f"http://127.0.0.1:9/{'a-long-path/' * 8}")
        page.get_by_role("button", name="Add").click()
        expect(page.get_by_role("status")).to_contain_text("whsec_")
        # The page follows by itself, and the secret stays until somebody leaves it.
        service.call(service.operator, "PATCH", "/api/v1/billing/intercoms",
                     {"id": 1, "group_id": 6, "new_mac": NEW, "model": "M"})
        expect(page.locator("#webhooks")).to_contain_text("1 attempt")
        expect(page.locator("#webhooks")).to_contain_text("in trouble")
        expect(page.get_by_role("status")).to_contain_text("whsec_")
        visit.picture("added")
        page.get_by_role("link", name="All deliveries").click()
        expect(page.locator("#deliveries")).to_contain_text("requested")
        visit.picture("deliveries")
        page.goto("/audit")
        expect(page.locator("#audit")).to_contain_text("sign in")
        visit.picture("audit")
        reading = Visit(browser, service, "settings-viewer", color_scheme="dark", **PHONE)
        reading.sign_in(service.viewer)
        reading.page.goto("/settings")
        expect(reading.page.locator("#webhooks")).to_contain_text("in trouble")
        assert reading.page.locator("main form").count() == 0
        reading.picture("settings")
    finally:
        service.close()


def needs_somebody(browser):
    """A decision is taken from the first page; a viewer sees it without the button."""
    service = Service()
    try:
        service.door("12 Mill Street", OLD, "S-OLD-0001")
        Panel(service, "stranger", OLD, "S-X").poll()
        watching = Visit(browser, service, "viewer", color_scheme="dark", **PHONE)
        watching.sign_in(service.viewer)
        expect(watching.page.locator("#needed")).to_contain_text("Board stranger is on line")
        watching.picture("needed")
        assert watching.page.locator("#needed button").count() == 0
        deciding = Visit(browser, service, "operator", color_scheme="light", **PHONE)
        deciding.sign_in(service.operator)
        deciding.picture("needed")
        deciding.page.get_by_role("button", name="belongs to board stranger").click()
        expect(deciding.page.locator("#needed")).not_to_contain_text("Board stranger is on line")
        # The other window follows by itself.
        expect(watching.page.locator("#needed")).not_to_contain_text("Board stranger is on line")
    finally:
        service.close()


def imports(browser):
    """A table is pasted, corrected, checked and run, by keyboard at a desk and by file without scripts on a phone."""
    service = Service()
    try:
        service.door("12 Mill Street, entrance B", OLD, "S-OLD-0001")
        service.door("14 Mill Street", "AA:BB:CC:DD:EE:01", "S-OLD-0002")
        table = "mac\tnew_mac\tnew_serial_number\n" + OLD + "\t" + NEW + "\tS-NEW-0001\n"
        visit = Visit(browser, service, "imports", **DESK)
        visit.sign_in(service.operator)
        page = visit.page
        page.get_by_role("link", name="Imports").click()
        tab_to(page, page.get_by_label("Or the table itself"))
        page.keyboard.insert_text(table + "AA:BB:CC:DD:EE:02\t" + NEW + "\t\n")
        visit.picture("pasted")
        tab_to(page, page.get_by_role("button", name="Check"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("1 row of 2 cannot be run")
        expect(page.locator("#import")).to_contain_text("Line 3")
        assert page.get_by_role("button", name="Run").count() == 0
        visit.picture("wrong")

        for name, options in [("light", {"color_scheme": "light"}), ("dark", {"color_scheme": "dark"})]:
            scripts = name == "light"
            phone = Visit(browser, service, "imports-" + name, java_script_enabled=scripts, **options, **PHONE)
            page = phone.page
            page.goto("/")
            page.get_by_label("Token").fill(service.operator)
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("link", name="Imports").click()
            file = {"name": "doors.csv", "mimeType": "text/csv", "buffer": table.encode()}
            page.get_by_label("CSV file").set_input_files(file)
            phone.picture("form")
            page.get_by_role("button", name="Check").click()
            expect(page.get_by_role("status")).to_contain_text("Nothing is wrong")
            phone.picture("checked")
            page.get_by_role("button", name="Run 1 row").click()
            if scripts:
                # The page follows by itself.
                expect(page.get_by_role("status")).to_contain_text("Every row was run")
            else:
                end = time.monotonic() + 15
                while "Every row was run" not in page.get_by_role("status").inner_text():
                    assert time.monotonic() < end, "it is not finished"
                    page.reload()
            phone.picture("done")
            with page.expect_download() as download:
                page.get_by_role("link", name="Result file").click()
            text = download.value.path().read_text()
            assert ("requested" if scripts else "unchanged") in text, text
    finally:
        service.close()


CHECKS = [phone_light, phone_dark, desk, keyboard, label, without_scripts, settings, needs_somebody, imports]


def main():
    named = sys.argv[1:]
    PICTURES.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES.glob("*.png"):
        picture.unlink()
    passed = failed = 0
    with sync_playwright() as playwright:
        expect.set_options(timeout=15_000)
        # The camera is Chromium's own test picture, and nobody is asked whether a page may have it.
        arguments = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        for check in CHECKS:
            if named and check.__name__ not in named:
                continue
            try:
                check(browser)
                passed += 1
                print(f"ok      {check.__name__}")
            except Exception:
                failed += 1
                print(f"FAILED  {check.__name__}")
                traceback.print_exc()
        browser.close()
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
