//! What an HTTP service, or what lies before it, does not do.

use super::Said;
use crate::config::Proxy;

causes! {
    /// Why a poll or a report did not succeed on a service that is connected to.
    enum HttpCause {
        /// A status of 300 to 399.
        Redirect { status: u16, to: String } = "http-redirect",
            "{status}: it redirects to {to}, which a panel does not follow",
            "set `url` to the service itself";
        /// 401.
        Unauthorized { said: Said } = "http-token",
            "401: it does not know this panel{said}",
            "check the token in `token_file`";
        /// 403.
        Forbidden { said: Said } = "http-forbidden",
            "403: it knows this panel and does not let it do this{said}",
            "ask its operator whether the token is this board's own, with the role `panel`";
        /// 404.
        NotFound { said: Said } = "http-not-found",
            "404: there is nothing at that address{said}",
            "check `url` and the paths";
        /// 404 to the documented PATCH, which the service also answers if it does not know the intercom.
        UnknownIntercom { said: Said } = "http-unknown-intercom",
            "404: there is nothing at that address, or billing does not know the intercom by that name{said}",
            "check `url`; look the intercom up in billing";
        /// 405.
        Method { said: Said } = "http-method",
            "405: it, or a proxy before it, refuses the method{said}",
            "let what lies before the service pass GET, POST and PATCH";
        /// 407, 511.
        PortalLogin { status: u16 } = "http-portal",
            "{status}: the network wants a login first",
            "check the panel's network, and `proxy`";
        /// 408.
        RequestTooSlow = "http-request-slow",
            "408: the request took too long to reach it",
            "";
        /// 421.
        Misdirected { said: Said } = "http-misdirected",
            "421: it is not known by that name{said}",
            "check the host in `url`, or let the service take it (`intercom-billing serve --host`)";
        /// 429.
        TooOften = "http-too-often",
            "429: it is asked too often",
            "raise `poll_every`, or let the service take more";
        /// 400, 413, 422.
        NotAccepted { status: u16, said: Said } = "http-not-accepted",
            "{status}: it does not accept what this panel sent{said}",
            "";
        /// Another status of 400 to 499.
        ClientError { status: u16, said: Said } = "http-refused",
            "{status}: it does not accept the request{said}",
            "check `url`";
        /// 502, 503, 504.
        Unavailable { status: u16 } = "http-unavailable",
            "{status}: it is not available now",
            "look at the service, and at what lies before it";
        /// Another status of 500 to 599.
        ServerError { status: u16 } = "http-error",
            "{status}: it has an internal error",
            "look at the service's log";
        /// A status that is no answer to a poll or a report, or success with a body that is none.
        OddStatus { status: u16 } = "http-status",
            "{status}: that is no answer to this request",
            "check `url`, and whether a login page of the network answers instead";
        /// What answers is not HTTP, as the library describes it.
        NotHttp { why: String } = "http-not-spoken",
            "its answer is not valid HTTP: {why}",
            "check the port in `url`";
        /// The head of the answer is longer than the panel reads.
        HeadTooLong = "http-head",
            "the head of its answer is too long",
            "";
        /// A phase of the exchange has reached its time limit.
        TooSlow { phase: &'static str } = "http-slow",
            "{phase} took too long",
            "";
        /// The proxy itself cannot be connected to.
        ProxyNotReached { proxy: Proxy, why: String } = "proxy-not-reached",
            "the proxy {proxy} is not reached: {why}",
            "check `proxy`, and whether the proxy runs";
        /// The proxy answers CONNECT with 407.
        ProxyLogin { proxy: Proxy } = "proxy-login",
            "the proxy {proxy} wants a user name and a password (407)",
            "let the proxy take this panel without them: a panel has none for it";
        /// The proxy answers CONNECT with 502, 503 or 504.
        ProxyCannotConnect { proxy: Proxy, status: u16 } = "proxy-cannot-connect",
            "the proxy {proxy} does not reach the service ({status})",
            "check the host and the port in `url`, and whether the service runs and lets the proxy in";
        /// The proxy answers CONNECT with anything else, as the library describes it.
        Proxy { proxy: Proxy, why: String } = "http-proxy",
            "the proxy {proxy} does not connect the panel ({why})",
            "check `proxy`, and whether the proxy allows CONNECT to the service's port";
        /// The proxy does not answer CONNECT in time.
        ProxySilent { proxy: Proxy } = "proxy-silent",
            "the proxy {proxy} did not answer in time: it, or the service behind it, is silent",
            "check whether both run, and the firewalls between them";
        /// The list of pending requests is no JSON array.
        NotAList = "http-no-list",
            "it did not answer with a JSON array",
            "check `url` and `pending`";
        /// The list of pending requests ends within the array.
        ListCut = "http-list-cut",
            "the list of pending requests ends too early",
            "";
        /// This byte of the list stands where it has no meaning.
        ListMisplaced { byte: String } = "http-list-json",
            "the list of pending requests is not JSON: `{byte}` stands where it has no meaning",
            "";
        /// The list is compressed, although the panel did not ask for that.
        Compressed = "http-compressed",
            "its list is compressed (Content-Encoding), although this panel did not ask for that",
            "switch compression off there for the panels' routes";
        /// There is no connection, for no reason that the library gives.
        NotConnected = "http-not-connected",
            "it cannot be reached",
            "";
        /// Anything else, as the library describes it.
        Other { why: String } = "http",
            "the exchange failed: {why}",
            "";
    }
}
