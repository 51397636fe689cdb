//! The API's description: its examples, and the page that is made from it.

use std::collections::HashSet;

use serde_json::{Value, json};
use ureq::http::Method;

use crate::common::browser::Browser;
use crate::common::described::Described;
use crate::common::{NEW, OLD, Running};

#[test]
fn each_json_body_has_an_example_that_its_schema_allows() {
    let described = Described::new();
    let mut checked = 0;
    for (method, path, operation) in described.operations() {
        let asked = operation.get("requestBody").map(|body| ("requestBody".to_owned(), body));
        let answers = operation["responses"].as_object().expect("answers").iter();
        let answers = answers.map(|(status, answer)| (format!("responses/{status}"), answer));
        for (at, body) in asked.into_iter().chain(answers) {
            let Some(json) = body.pointer("/content/application~1json") else { continue };
            let named = json["examples"].as_object().into_iter().flatten();
            let named = named.map(|(_, example)| &example["value"]);
            let examples: Vec<_> = json.get("example").into_iter().chain(named).collect();
            assert!(!examples.is_empty(), "{method} {path} {at} has no example");
            let template = path.replace('/', "~1");
            let pointer =
                format!("/paths/{template}/{method}/{at}/content/application~1json/schema");
            let schema = described.schema(&pointer);
            for example in examples {
                let wrong: Vec<_> = schema.iter_errors(example).map(|e| e.to_string()).collect();
                assert!(wrong.is_empty(), "{method} {path} {at}: {wrong:#?}");
                checked += 1;
            }
        }
    }
    assert!(checked > 20, "only {checked} examples");
}

#[test]
fn a_report_is_taken_exactly_where_its_schema_allows_it() {
    let billing = Running::start();
    let schema = Described::new().schema("/components/schemas/Report");
    let identity = json!({"mac": OLD, "serial_number": "S-OLD"});
    let whole = json!({
        "id": 1, "external_id": "E", "department": "D", "title": "T", "mac": NEW, "model": "M",
        "serial_number": "S", "status": "failed", "flat_from": 1, "flat_to": 2, "source": "auto-replace",
        "group": {"id": 6, "name": "G", "external_id": "E", "has_items": false},
        "request_id": "r-1", "issuer": "i-1", "board": "die-1",
        "target": {"id": 1, "mac": OLD, "board": "die-1"},
        "outcome_identity": identity, "previous": identity, "factory": identity, "reason": "none",
        "deferred_seconds": 1, "seq_mark": 1, "log_extra": {"a": 1}, "message": "m",
        "errors": {"mac": ["is wrong"]}, "outcomes_not_told": {"count": 2, "first": "r-2", "last": "r-3"},
        "unclean_ends": 1
    });
    let mut objects = vec![String::new()];
    let nested =
        whole.as_object().expect("an object").iter().filter(|(_, value)| value.is_object());
    objects.extend(nested.map(|(key, _)| format!("/{key}")));
    let mut wrong = Vec::new();
    let mut check = |what: String, report: Value| {
        let status = billing.report(report.clone()).status;
        if status != if schema.is_valid(&report) { 204 } else { 422 } {
            wrong.push(format!("{what}: {status}"));
        }
    };
    check("as it is".to_owned(), whole.clone());
    for object in &objects {
        let with = |key: &str, value: Option<Value>| {
            let mut report = whole.clone();
            let object =
                report.pointer_mut(object).and_then(Value::as_object_mut).expect("an object");
            match value {
                Some(value) => object.insert(key.to_owned(), value),
                None => object.remove(key),
            };
            report
        };
        check(format!("{object} and an unknown key"), with("unknown", Some(json!(1))));
        for key in whole.pointer(object).and_then(Value::as_object).expect("an object").keys() {
            check(format!("{object} without {key}"), with(key, None));
            // That a text is no MAC address is told by the description of one alone.
            let texts = ["", "a b", "who"].into_iter().filter(|_| key != "mac").map(Value::from);
            let others = [json!(null), json!(true), json!({}), json!([]), json!(-1), json!(0)];
            for value in others.into_iter().chain(texts) {
                check(format!("{object}, {key} {value}"), with(key, Some(value)));
            }
        }
    }
    assert_eq!(wrong, [""; 0], "taken where the schema forbids it, or the other way round");
}

#[test]
fn each_operation_has_a_name_of_its_own_and_one_of_the_tags() {
    let described = Described::new();
    let tags: HashSet<_> = described.tags().collect();
    let mut names = HashSet::new();
    for (method, path, operation) in described.operations() {
        let name = operation["operationId"].as_str().expect("an operationId");
        assert!(names.insert(name), "{name} is the name of two operations");
        let own = operation["tags"].as_array().expect("tags");
        let own: Vec<_> = own.iter().filter_map(|tag| tag.as_str()).collect();
        assert!(own.len() == 1 && tags.contains(own[0]), "{method} {path} has the tags {own:?}");
    }
}

#[test]
fn the_documentation_has_each_call_and_each_schema() {
    let billing = Running::start();
    let page = billing.call(Method::GET, "/docs", None).text;
    let described = Described::new();
    for (method, path, operation) in described.operations() {
        let name = operation["operationId"].as_str().expect("an operationId");
        let section = format!("<section class=\"card\" id=\"{name}\">");
        let (_, section) = page.split_once(&section).expect(name);
        let (section, _) = section.split_once("</section>").expect("its end");
        let heading = format!("<code>{} {path}</code>", method.to_uppercase());
        let curl = format!("curl -X {} &quot;$BILLING/", method.to_uppercase());
        let is_a_form = name == "pressButton";
        assert!(section.contains(&heading) && (is_a_form || section.contains(&curl)), "{section}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().expect("a name");
            assert!(section.contains(&format!("<dt><code>{name}</code>")), "{name} in {section}");
        }
        for status in operation["responses"].as_object().expect("answers").keys() {
            assert!(
                section.contains(&format!("<dt><code>{status}</code>")),
                "{status} in {section}"
            );
        }
    }
    for name in described.schemas() {
        assert!(page.contains(&format!(" id=\"schema-{name}\"")), "{name}");
    }
    let links = page.split("href=\"#").skip(1).map(|link| link.split('"').next().expect("an end"));
    for to in links {
        assert!(page.contains(&format!("id=\"{to}\"")), "a link to {to}, which is not there");
    }
}

#[test]
fn the_documentation_loads_nothing_from_elsewhere_and_needs_no_scripts() {
    let billing = Running::start();
    let shown = Browser::of(&billing).get("/docs");
    let policy = shown.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(!shown.text.contains("<script") && !shown.text.contains("<style"), "{}", shown.text);
    assert!(!shown.text.contains(" src="), "{}", shown.text);
    let links = shown.text.split("href=\"").skip(1);
    assert!(links.clone().count() > 50);
    for link in links {
        assert!(link.starts_with(['#', '/']) && !link.starts_with("//"), "{link:.60}");
    }
}
