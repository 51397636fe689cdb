//! One HTTP connection to billing that stays open, as the operator's system and each polling panel
//! have.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

pub(super) struct Caller {
    host: String,
    requests: SendRequest<Full<Bytes>>,
}

/// An answer, and how long it took.
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    pub(super) took: Duration,
}

impl Caller {
    pub(super) async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("billing accepts no connection")?;
        stream.set_nodelay(true)?;
        let (requests, connection) = handshake(TokioIo::new(stream)).await?;
        // It ends with the connection. A later request then fails.
        tokio::spawn(connection);
        Ok(Caller { host: address.to_string(), requests })
    }

    pub(super) async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answered> {
        let body = body.map_or_else(String::new, Value::to_string);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.host)
            .header(header::USER_AGENT, "intercom-agent/fleet")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(body))?;
        let begun = Instant::now();
        self.requests.ready().await?;
        let answer = self.requests.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        Ok(Answered { status, body, took: begun.elapsed() })
    }
}
