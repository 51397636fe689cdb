//! A browser: it asks for pages, sends forms with the page's origin and keeps its cookie. The pages
//! besides `/` are not part of the described API.

use ureq::http::{HeaderMap, Method, Request, StatusCode};

use super::Running;

pub(crate) struct Browser<'a> {
    billing: &'a Running,
    /// The scheme and host of the page that it shows.
    pub(crate) origin: String,
    /// `NAME=VALUE`.
    pub(crate) cookie: Option<String>,
}

pub(crate) struct Shown {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl<'a> Browser<'a> {
    pub(crate) fn of(billing: &'a Running) -> Self {
        Browser { billing, origin: format!("http://{}", billing.http()), cookie: None }
    }

    /// One that has signed in with this token.
    pub(crate) fn signed_in(billing: &'a Running, token: &str) -> Self {
        let mut browser = Self::of(billing);
        let shown = browser.press("/sign-in", &[("token", token)]);
        assert_eq!((shown.status.as_u16(), shown.header("location")), (303, "/"), "{}", shown.text);
        browser
    }

    pub(crate) fn get(&mut self, path: &str) -> Shown {
        self.call(Method::GET, path, "", String::new())
    }

    /// Sends a form of the page.
    pub(crate) fn press(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        let form = form.extend_pairs(fields).finish();
        self.call(Method::POST, path, "application/x-www-form-urlencoded", form)
    }

    /// Sends the form with a file: `chosen` as a file, `pasted` as a text.
    pub(crate) fn send_file(
        &mut self,
        path: &str,
        chosen: impl AsRef<[u8]>,
        pasted: &str,
    ) -> Shown {
        let part = |head: &str, bytes: &[u8]| {
            let head = format!("--part\r\nContent-Disposition: form-data; {head}\r\n\r\n");
            [head.as_bytes(), bytes, b"\r\n"].concat()
        };
        let file = "name=\"file\"; filename=\"doors.csv\"\r\nContent-Type: text/csv";
        let chosen = part(file, chosen.as_ref());
        let pasted = part("name=\"text\"", pasted.as_bytes());
        let form = [&chosen[..], &pasted, b"--part--\r\n"].concat();
        self.call(Method::POST, path, "multipart/form-data; boundary=part", form)
    }

    fn call(&mut self, method: Method, path: &str, kind: &str, form: impl Into<Vec<u8>>) -> Shown {
        let url = format!("http://{}{path}", self.billing.http());
        let mut request = Request::builder()
            .method(method.clone())
            .uri(url)
            .header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        if let Some(cookie) = &self.cookie {
            request = request.header("Cookie", format!("theme=dark; {cookie}"));
        }
        let answer = match method {
            Method::GET => self.billing.agent.run(request.body(()).expect("a request")),
            _ => {
                let request = request.header("Origin", &self.origin).header("Content-Type", kind);
                self.billing.agent.run(request.body(form.into()).expect("a request"))
            }
        };
        let mut answer = answer.expect("an answer");
        let text = answer.body_mut().read_to_string().expect("text");
        let shown = Shown { status: answer.status(), headers: answer.headers().clone(), text };
        if shown.headers.contains_key("set-cookie") {
            let pair = shown.header("set-cookie").split(';').next().expect("a pair");
            self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
        shown
    }
}

impl Shown {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}
