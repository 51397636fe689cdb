//! A JSON schema for the answer of each command with `--json`. Every key is named and must be there, unless
//! its description says that it may be missing, so that a test with real answers notices what is new.

use intercom_agent::record::Route;
use intercom_wire::{DEFERRED, Outcome};
use serde_json::{Map, Value, json};

/// Each command that answers, and the schema of its answer.
pub(super) fn all() -> Vec<(&'static str, Value)> {
    let answers = [
        ("restore", restore()),
        ("identity", identity_of_the_board()),
        ("check", check()),
        ("apply", report()),
        ("rollback", status()),
        ("status", json!({"anyOf": [status(), step()]})),
        ("doctor", doctor()),
        ("netcheck", netcheck()),
        ("config", config()),
        (
            "log",
            object([
                ("level", text("What the daemon logs now.")),
                ("seconds", number("For how long.")),
            ]),
        ),
        (
            "forget-sequence",
            object([("forgotten", list("The marks that there were.", seq_mark()))]),
        ),
        ("bugreport", text("The report, or the file that it was written to.")),
    ];
    let document = |(command, schema)| (command, document(command, schema));
    answers.map(document).into_iter().collect()
}

/// One schema as a file of its own.
fn document(command: &str, schema: Value) -> Value {
    let mut document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("intercom-agent {command} --json"),
    });
    if let (Value::Object(document), Value::Object(schema)) = (&mut document, schema) {
        document.extend(schema);
    }
    document
}

fn restore() -> Value {
    object([
        (
            "identity",
            identity("What the record gives the board, or what a change in progress sets."),
        ),
        ("carried", nullable(boolean("Whether the link has it; null if the link cannot be read."))),
        ("change_in_progress", boolean("Whether a change is in progress.")),
        ("not_read", texts("What could not be read of the board, and why.")),
        ("remarks", texts("What was done, and what could not be.")),
    ])
}

fn identity_of_the_board() -> Value {
    let current = object([
        ("mac", text("The MAC address.")),
        ("serial_number", nullable(text("The serial number, if there is one."))),
        ("mac_origin", text("Where the MAC address came from.")),
        ("serial_origin", nullable(text("Where the serial number came from."))),
    ]);
    let mac = object([
        ("value", text("The board's MAC address.")),
        ("source", text("Where it was read.")),
        ("kind", json!({"enum": ["real", "placeholder", "random"]})),
    ]);
    let link = object([
        ("interface", text("The interface's name.")),
        ("mac", known(text("What the link has."))),
        ("state", nullable(text("The kernel's `operstate`."))),
        ("index", nullable(number("Its number."))),
    ]);
    object([
        ("current", nullable(about("What the record says; null before the first start.", current))),
        ("link", nullable(about("The network link.", link))),
        ("environment_mac", source(known(text("The MAC address of the U-Boot environment.")))),
        ("mac", source(mac)),
        ("serial_number", source(known(text("The board's serial number.")))),
        ("models", list("The models that the panel answers to.", known(text("A model.")))),
        ("id", nullable(known(integer("The intercom's ID.")))),
        ("die_id", nullable(known(text("The SoC's die ID.")))),
        (
            "board",
            nullable(known(text(
                "The stable name; null before the first start if it is made from the factory MAC address.",
            ))),
        ),
        ("warnings", texts("What could not be read, and why.")),
    ])
}

fn check() -> Value {
    let decision = |word: &str| ("decision", json!({"const": word}));
    let why = || ("reason", text("Why."));
    json!({"oneOf": [
        object([
            decision("apply"),
            ("from", identity("What the board is.")),
            ("to", identity("What it would be.")),
            ("hooks_are_asked", boolean("Whether hooks are asked first, which may say \"not now\".")),
            (
                "waiting",
                nullable(about("The same request, where it waits in the daemon.", waiting())),
            ),
        ]),
        object([decision("already installed"), ("identity", identity("What the board is."))]),
        object([decision("reject"), ("message", text("As a 422 has it.")), ("errors", errors())]),
        object([decision("ignore"), why()]),
        object([decision("already done"), ("report", report())]),
        object([decision("already done"), why(), ("seq_mark", number("The highest `seq` that was decided."))]),
        with_optional([decision("keep")], [why()]),
        object([decision("deferred"), ("held_by", nullable(text("The board that has the new MAC address.")))]),
        object([decision("await"), why()]),
        object([decision("look up"), ("mac", text("Whose owner is to be looked up."))]),
    ]})
}

fn doctor() -> Value {
    let check = with_optional(
        [
            ("id", text("The check's name.")),
            ("description", text("What has to be so.")),
            ("state", state()),
            ("found", text("What was found.")),
        ],
        [("advice", text("What to do; missing where there is nothing."))],
    );
    object([("worst", state()), ("checks", list("Every check.", check))])
}

fn netcheck() -> Value {
    let leg = with_optional(
        [("leg", text("Its stable name.")), ("state", state()), ("found", text("What was found."))],
        [
            ("advice", text("What to do; missing where there is nothing.")),
            ("cause", text("Why it ends there, by its stable name.")),
            ("ms", number("How long it took.")),
        ],
    );
    let way = object([
        ("route", route()),
        ("server", text("The URL of the server.")),
        ("legs", list("Its legs, as far as it was gone.", leg)),
    ]);
    object([("worst", state()), ("routes", list("The way of each route.", way))])
}

/// How what was looked at is.
fn state() -> Value {
    json!({"enum": ["ok", "warning", "failed"]})
}

fn config() -> Value {
    object([
        (
            "settings",
            json!({
                "type": "object",
                "description": "What is in force, as in the configuration file: an object for each of its tables.",
            }),
        ),
        ("problems", texts("What is wrong.")),
    ])
}

fn status() -> Value {
    object([
        ("board", text("The board's stable name.")),
        ("current", identity("The last identity that was confirmed.")),
        ("factory", factory()),
        ("not_read", texts("What could not be read of the board itself, and why.")),
        ("id", nullable(integer("The intercom's ID."))),
        ("change", nullable(about("The change in progress.", change()))),
        ("rollback_undone", nullable(text("Why the last rollback by hand was itself undone."))),
        ("reached", of_a_daemon(list("The routes on which upstream is reached.", route()))),
        ("routes", of_a_daemon(list("How each route fares.", route_status()))),
        (
            "link_contest",
            nullable(about("Other software has set the link's address.", link_contest())),
        ),
        ("unreported", number("Reports that wait for upstream.")),
        (
            "unread",
            of_a_daemon(number("Reports that the broker took and billing has not answered.")),
        ),
        ("unread_seconds", nullable(number("For how long the first of these waits."))),
        ("outcomes_not_told", nullable(not_told())),
        ("ignored", of_a_daemon(list("Why requests were ignored.", ignored()))),
        ("waiting", of_a_daemon(number("Requests that wait to be decided."))),
        ("waiting_requests", of_a_daemon(list("The same requests, one by one.", waiting()))),
        ("record_is_new", boolean("Whether nothing was decided since the record began.")),
        ("durable", of_a_daemon(boolean("Whether the record on disk is what the daemon knows."))),
        ("outcomes", list("The last outcomes.", outcome())),
        ("counters", counters()),
        ("last_crash", nullable(text("Where the last run that ended uncleanly crashed."))),
    ])
}

fn waiting() -> Value {
    object([
        ("request", text("Its ID, or what `check` and the log call one without.")),
        ("reason", text("Why it waits.")),
        ("for_seconds", number("For how long that has been so.")),
        ("next_attempt_in", nullable(number("When it is tried again, in seconds."))),
        ("seconds_left", nullable(number("When it ends if nothing changes."))),
    ])
}

fn change() -> Value {
    object([
        ("from", identity("What is put back if it cannot be confirmed.")),
        ("to", identity("What it sets.")),
        ("stage", text("How far it has come, in words.")),
        ("attempts", number("How many boots have tried it.")),
        ("seconds_left", of_a_daemon(number("Until it is rolled back unless confirmed."))),
    ])
}

fn route_status() -> Value {
    let error = object([
        ("cause", text("Its stable name, as in docs/troubleshooting.md.")),
        ("text", text("The server, what happened, and what to do.")),
        ("seconds_ago", number("When.")),
    ]);
    object([
        ("route", route()),
        ("server", text("The URL that it reaches, or has tried last.")),
        ("reached", boolean("Whether upstream is reached on it.")),
        ("for_seconds", number("For how long it is, or is not.")),
        ("reconnects", number("How often it was reached again.")),
        ("next_attempt_in", nullable(number("In seconds, where it only waits for that."))),
        (
            "refused_topic",
            nullable(text("The topic of the MAC address, where the broker refuses it.")),
        ),
        ("last_error", nullable(about("What went wrong last.", error))),
    ])
}

fn link_contest() -> Value {
    object([
        ("times", number("How often.")),
        ("mac", text("What it was set to last.")),
        ("seconds_ago", number("When it was put right last.")),
        ("without_hooks", boolean("Whether the hooks are left out, since they ran too often.")),
    ])
}

fn ignored() -> Value {
    object([
        ("reason", text("The last one's reason.")),
        ("count", number("How many since the daemon started.")),
        ("seconds_ago", number("When the last one came.")),
    ])
}

fn outcome() -> Value {
    object([
        (
            "at",
            nullable(text(
                "When it ended, by the board's clock, which may be wrong; null if an older version wrote it.",
            )),
        ),
        ("report", report()),
    ])
}

fn counters() -> Value {
    object([
        ("delivered", number("Deliveries of any kind.")),
        ("ignored", number("Deliveries that were not this board's business.")),
        ("repeated", number("Deliveries of a request that was decided before.")),
        ("rejected", number("Requests refused.")),
        ("confirmed", number("Requests that were already installed.")),
        ("begun", number("Changes begun.")),
        ("installed", number("Changes confirmed.")),
        ("rolled_back", number("Changes taken back.")),
        ("failed", number("Changes that could not be begun.")),
        ("reported", number("Reports that upstream acknowledged.")),
        ("unreported", number("Reports that had to make room for later ones.")),
        (
            "unclean_ends",
            nullable(number("Runs since the last boot that ended without having been asked to.")),
        ),
    ])
}

/// One line for each step of `status --follow`.
fn step() -> Value {
    object([
        ("number", number("Rises by one with every step since the daemon started.")),
        ("text", text("What happened.")),
        ("seconds_left", nullable(number("What a change in progress had left to be confirmed."))),
    ])
}

/// How a request ended, as upstream is told.
fn report() -> Value {
    let group = object([
        ("id", integer("The group's ID.")),
        ("name", text("Its name.")),
        ("external_id", nullable(text("Its ID in an external system."))),
        ("has_items", boolean("Whether anything but intercoms belongs to it.")),
    ]);
    let target = with_optional(
        [],
        [
            ("id", integer("Its ID.")),
            ("mac", text("Its MAC address.")),
            ("board", text("The board.")),
        ],
    );
    let outcomes = [Outcome::Installed, Outcome::Rejected, Outcome::RolledBack, Outcome::Failed];
    let mut states: Vec<_> = outcomes.iter().map(|outcome| json!(outcome.to_string())).collect();
    states.push(json!(DEFERRED));
    with_optional(
        [
            ("id", nullable(integer("The intercom's ID."))),
            ("external_id", nullable(text("Its ID in an external system."))),
            ("department", nullable(text("Its department."))),
            ("title", nullable(text("Its name."))),
            ("mac", nullable(text("What the board carries."))),
            ("model", nullable(text("The model."))),
            ("serial_number", nullable(text("What the board carries."))),
            ("status", about("How it ended.", json!({"enum": states}))),
            ("flat_from", nullable(integer("The first flat."))),
            ("flat_to", nullable(integer("The last flat."))),
            ("source", nullable(text("Where it came from: `auto-replace`."))),
            ("group", nullable(group)),
            ("request_id", nullable(text("The request."))),
            ("board", text("The board that speaks.")),
            ("previous", identity("What it was before.")),
            ("factory", factory()),
        ],
        [
            ("issuer", text("The billing database that asked.")),
            ("target", about("Which intercom the request was for.", target)),
            ("outcome_identity", identity("What the outcome is about.")),
            ("reason", text("Why it is not `installed`.")),
            ("deferred_seconds", number("For how long it is deferred.")),
            ("seq_mark", number("The highest `seq` that was decided.")),
            ("log_extra", json!({"description": "What the request wanted passed through."})),
            ("message", text("A rejection's summary, as a 422 has it.")),
            ("errors", errors()),
            ("outcomes_not_told", not_told()),
            ("unclean_ends", number("Runs of the daemon that crashed or were killed.")),
        ],
    )
}

fn not_told() -> Value {
    object([
        ("count", number("Outcomes whose reports had to make room.")),
        ("first", nullable(text("The request of the first of them."))),
        ("last", nullable(text("The request of the last of them."))),
    ])
}

fn seq_mark() -> Value {
    let intercom = json!({"oneOf": [object([("id", integer("By ID."))]), object([("mac", text("By MAC address."))])]});
    object([
        ("issuer", nullable(text("The billing database."))),
        ("intercom", intercom),
        ("seq", number("The highest that was decided.")),
    ])
}

fn errors() -> Value {
    json!({
        "type": "object",
        "description": "For each field what is wrong, as a 422 has it.",
        "additionalProperties": {"type": "array", "items": {"type": "string"}},
    })
}

fn identity(what: &str) -> Value {
    let identity = object([
        ("mac", text("The MAC address.")),
        ("serial_number", nullable(text("The serial number, if there is one."))),
    ]);
    about(what, identity)
}

fn factory() -> Value {
    about(
        "What the board had when the agent first ran.",
        json!({"oneOf": [identity("It is known."), {"const": "unknown"}]}),
    )
}

fn route() -> Value {
    json!({"enum": [Route::Mqtt, Route::Http, Route::Billing]})
}

/// A value and where it was read.
fn known(value: Value) -> Value {
    object([("value", value), ("source", text("Where it was read."))])
}

/// What a source has that may have nothing, or be unreadable.
fn source(value: Value) -> Value {
    json!({"oneOf": [value, {"type": "null"}, {"const": "unreadable"}]})
}

fn text(what: &str) -> Value {
    json!({"type": "string", "description": what})
}

fn texts(what: &str) -> Value {
    list(what, json!({"type": "string"}))
}

fn boolean(what: &str) -> Value {
    json!({"type": "boolean", "description": what})
}

fn integer(what: &str) -> Value {
    json!({"type": "integer", "description": what})
}

/// Not negative.
fn number(what: &str) -> Value {
    json!({"type": "integer", "minimum": 0, "description": what})
}

fn list(what: &str, items: Value) -> Value {
    json!({"type": "array", "description": what, "items": items})
}

fn about(what: &str, mut schema: Value) -> Value {
    schema["description"] = what.into();
    schema
}

fn nullable(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

/// What only a daemon knows.
fn of_a_daemon(schema: Value) -> Value {
    about("Null where no daemon runs.", nullable(schema))
}

fn object<const N: usize>(keys: [(&str, Value); N]) -> Value {
    with_optional(keys, [])
}

fn with_optional<const N: usize, const M: usize>(
    keys: [(&str, Value); N],
    optional: [(&str, Value); M],
) -> Value {
    let required: Vec<_> = keys.iter().map(|(key, _)| json!(key)).collect();
    let all = keys.into_iter().chain(optional).map(|(key, schema)| (key.to_owned(), schema));
    json!({
        "type": "object",
        "properties": all.collect::<Map<_, _>>(),
        "required": required,
        "additionalProperties": false,
    })
}
