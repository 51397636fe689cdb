//! The API's description: its examples, and the page that is made from it.

use std::collections::HashSet;

use ureq::http::Method;

use crate::common::Running;
use crate::common::browser::Browser;
use crate::common::described::Described;

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
