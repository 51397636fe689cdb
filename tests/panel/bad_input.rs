//! Bad input on every route: a clear answer in the shape of a 422, a daemon that lives, and a board
//! that nobody has touched.

use intercom_test_support::{
    Billing, Board, Broker, Listener, MODEL, NEW, OLD, OTHER, Watcher, curl, request,
};
use serde_json::{Value, json};

/// What is delivered, and which fields its rejection names.
fn bad() -> Vec<(&'static str, Vec<u8>, &'static [&'static str])> {
    let with = |field: &str, value: Value| {
        let mut body = request("r-0");
        body.as_object_mut().expect("an object").remove("request_id");
        // The service wants a group; a panel does not look at it.
        body["group_external_id"] = json!("house-1");
        body[field] = value;
        body.to_string().into_bytes()
    };
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth)).into_bytes();
    let deep_inside = {
        let mut body = with("log_extra", json!("HERE"));
        let at = String::from_utf8(body.clone()).expect("text").find("\"HERE\"").expect("there");
        body.splice(at..at + 6, nested(100_000 / 4));
        body
    };
    let long = with("log_extra", json!("x".repeat(64 * 1024)));
    vec![
        ("not JSON", b"new_mac=22:0D:CE:38:E7:15".to_vec(), &["body"]),
        ("not text", vec![0xff, 0x00, 0xfe], &["body"]),
        ("half of it", request("r-0").to_string().into_bytes()[..60].to_vec(), &["body"]),
        ("no object", b"[1, 2]".to_vec(), &["body"]),
        ("deep nesting", nested(20_000), &["body"]),
        ("deep nesting inside", deep_inside, &["body"]),
        ("too large", long, &["body"]),
        ("wrong types", with("flat_from", json!("one")), &["flat_from"]),
        ("more wrong types", with("new_mac", json!({"a": 1})), &["new_mac"]),
        ("broadcast", with("new_mac", json!("FF:FF:FF:FF:FF:FF")), &["new_mac"]),
        ("zeros", with("new_mac", json!("00:00:00:00:00:00")), &["new_mac"]),
        ("both names", with("id", json!(5)), &["id", "mac"]),
        ("unknown model", with("model", json!("DKS20211")), &["model"]),
        ("no model", with("model", Value::Null), &["model"]),
        (
            "another panel's",
            json!({"mac": OTHER, "new_mac": NEW, "model": MODEL}).to_string().into_bytes(),
            &["mac"],
        ),
    ]
}

#[track_caller]
fn is_rejection(what: &str, report: &Value, fields: &[&str]) {
    assert_eq!(report["status"], "rejected", "{what}: {report}");
    let named: Vec<_> = report["errors"].as_object().expect("errors").keys().collect();
    assert_eq!(named, fields, "{what}: {report}");
    let first = &report["errors"][fields[0]][0];
    assert!(report["message"].as_str().expect("text").len() > 10, "{what}: {first}");
    assert_eq!(report["mac"], OLD, "{what}");
}

#[test]
fn over_mqtt_each_is_rejected_and_touches_nothing() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let mut daemon = board.start();
    watcher.online(OLD, "gate-1");
    let (files, record) = (board.files(), board.read("state/record.json"));
    for (number, (what, payload, fields)) in bad().into_iter().enumerate() {
        watcher.publish(&format!("intercoms/{OLD}/patch/r-{number}"), payload);
        is_rejection(what, &watcher.report(OLD), fields);
    }
    assert!(daemon.is_running());
    assert_eq!(board.files(), files);
    assert_eq!(board.read("state/record.json"), record, "nothing of it is worth flash");
}

#[test]
fn by_polling_each_is_rejected_and_the_list_is_read_on() {
    let service = Listener::start();
    let board = Board::sandboxed("gate-1", OLD).with_polling(&service.url);
    let mut daemon = board.start();
    board.wait_until_reached();
    let (files, record) = (board.files(), board.read("state/record.json"));
    // What is not for this board, or cannot be told whom it is for, is nobody's business in a list
    // that is not this board's own. What is left is named one by one.
    let listed = bad().into_iter().enumerate().filter(|(_, (what, ..))| {
        !matches!(*what, "not JSON" | "not text" | "half of it" | "another panel's")
    });
    for (number, (what, payload, fields)) in listed {
        let id = format!("r-{number}");
        let payload = match serde_json::from_slice::<Value>(&payload) {
            Ok(Value::Object(mut body)) if fields != ["body"] => {
                body.insert("request_id".into(), json!(id));
                Value::Object(body).to_string().into_bytes()
            }
            _ => payload,
        };
        let good = json!({"request_id": format!("good-{number}"), "mac": OLD, "model": "other", "new_mac": NEW});
        service.offer([&b"["[..], &payload, b",", good.to_string().as_bytes(), b"]"].concat());
        if fields != ["body"] {
            is_rejection(what, &service.report(|report| report["request_id"] == *id), fields);
        }
        // And the list is read on to its end.
        let last = format!("good-{number}");
        is_rejection(what, &service.report(|report| report["request_id"] == *last), &["model"]);
    }
    service.offer("no list");
    daemon.wait_for("failed: it did not answer with a JSON array");
    service.offer(
        json!([{"request_id": "after", "mac": OLD, "model": "other", "new_mac": NEW}]).to_string(),
    );
    is_rejection("after", &service.report(|report| report["request_id"] == "after"), &["model"]);
    assert!(daemon.is_running());
    assert_eq!(board.files(), files);
    assert_eq!(board.read("state/record.json"), record);
}

/// As deep as a request may be, it is deeper in the record, which must be read again.
#[test]
fn a_log_extra_of_the_deepest_nesting_does_not_cost_the_record() {
    let board = Board::sandboxed("gate-1", OLD);
    let nested = format!("{}{}", "[".repeat(126), "]".repeat(126));
    let mut body = request("deep");
    body["log_extra"] = serde_json::from_str(&nested).expect("JSON");
    let applied = board.run_with(&["apply", "-", "--offline"], body.to_string().as_bytes());
    assert_eq!(applied.code, 0, "{applied:?}");
    let record = board.run(&["status", "--json"]).json();
    assert_eq!(record["current"]["mac"], NEW, "{record}");
    assert_eq!(record["outcomes"][0]["report"]["status"], "installed", "{record}");
    assert!(!board.path("state/record.json.damaged").exists());
}

#[test]
fn by_polling_ten_megabytes_do_not_hide_the_next_request() {
    let service = Listener::start();
    let board = Board::sandboxed("gate-1", OLD).with_polling(&service.url);
    let mut large = request("large");
    large["log_extra"] = json!("x".repeat(10 << 20));
    let good = json!({"request_id": "good", "mac": OLD, "model": "other", "new_mac": NEW});
    service.offer(json!([large, good]).to_string());
    let mut daemon = board.start();
    is_rejection("good", &service.report(|report| report["request_id"] == "good"), &["model"]);
    assert!(daemon.is_running());
    assert_eq!(board.mac(), OLD);
}

#[test]
fn from_an_installer_each_is_rejected_and_touches_nothing() {
    let board = Board::sandboxed("gate-1", OLD).with_mqtt("mqtt://127.0.0.1:9");
    let files = board.files();
    let ten_megabytes = vec![b'['; 10 << 20];
    let large = ("ten megabytes", ten_megabytes, &["body"][..]);
    for (what, payload, fields) in bad().into_iter().chain([large]) {
        let check = board.run_with(&["check", "-", "--json"], &payload);
        assert_eq!(check.code, 11, "{what}: {check:?}");
        let answer = check.json();
        assert_eq!(answer["decision"], "reject", "{what}");
        let named: Vec<_> = answer["errors"].as_object().expect("errors").keys().collect();
        assert_eq!(named, fields, "{what}: {answer}");

        let apply = board.run_with(&["apply", "--offline", "-", "--json"], &payload);
        match fields {
            ["body"] => assert!([2, 11].contains(&apply.code), "{what}: {apply:?}"),
            _ => {
                assert_eq!(apply.code, 11, "{what}: {apply:?}");
                is_rejection(what, &apply.json(), fields);
            }
        }
    }
    assert_eq!(board.mac(), OLD);
    let after = board.files();
    for (path, file) in files {
        assert_eq!(after.get(&path), Some(&file), "{}", path.display());
    }
}

#[test]
fn to_the_api_each_is_refused_in_the_shape_of_a_422() {
    let billing = Billing::start();
    billing.create_old();
    let url = format!("{}/api/v1/billing/intercoms", billing.url);
    for (what, payload, fields) in bad() {
        // Only the panel knows what model it is and who it is.
        if matches!(what, "unknown model" | "another panel's") {
            continue;
        }
        let (status, answer) = curl("PATCH", &url, &payload);
        assert!(matches!(status, 422 | 413 | 400), "{what}: {status} {answer}");
        assert!(answer["message"].is_string(), "{what}: {answer}");
        let named: Vec<_> = answer["errors"].as_object().expect("errors").keys().collect();
        if fields != ["body"] {
            assert_eq!(status, 422, "{what}: {answer}");
            assert_eq!(named, fields, "{what}: {answer}");
        }
    }
    let (status, answer) = curl("PATCH", &url, &vec![b'['; 10 << 20]);
    assert!(matches!(status, 422 | 413), "{status} {answer}");
    assert!(answer["errors"].is_object(), "{answer}");
    let (_, shown) = billing.show(OLD);
    assert_eq!((&shown["mac"], &shown["status"]), (&json!(OLD), &json!("empty")));
}

/// The panel says once what is there, gets past it, and hears the next request.
fn steps_over(publish: fn(&Watcher, Vec<u8>), next: fn() -> (String, Value)) {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let mut daemon = board.start();
    watcher.online(OLD, "gate-1");
    publish(&watcher, vec![b'x'; 10 << 20]);
    is_rejection("10 MB", &watcher.report(OLD), &["body"]);
    let (topic, request) = next();
    watcher.retain(&topic, request.to_string());
    let next = watcher.report(OLD);
    is_rejection("the next", &next, &["model"]);
    assert_eq!(next["request_id"], request["request_id"], "and it is told once: {next}");
    assert!(daemon.is_running());
    assert_eq!(board.mac(), OLD);
}

fn for_another_model(topic: &str) -> (String, Value) {
    let request = json!({"request_id": "next", "mac": OLD, "new_mac": NEW, "model": "other"});
    (format!("{topic}/patch/next"), request)
}

#[test]
fn ten_megabytes_over_mqtt() {
    steps_over(
        |watcher, large| watcher.publish(&format!("intercoms/{OLD}/patch/large"), large),
        || for_another_model(&format!("intercoms/{OLD}")),
    );
}

#[test]
fn ten_megabytes_retained_on_the_macs_topic() {
    steps_over(
        |watcher, large| watcher.retain(&format!("intercoms/{OLD}/patch/large"), large),
        || for_another_model("intercoms/by-board/gate-1"),
    );
}

#[test]
fn ten_megabytes_retained_on_the_boards_topic() {
    steps_over(
        |watcher, large| watcher.retain("intercoms/by-board/gate-1/patch/large", large),
        || for_another_model(&format!("intercoms/{OLD}")),
    );
}
