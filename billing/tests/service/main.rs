//! The running service, from outside.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests are tests too")]

mod api;
mod audit;
mod backup;
mod bounds;
mod broker_access;
mod built_in_broker;
mod cameras;
mod command_line;
mod common;
mod config;
mod copy;
mod decisions;
mod deliveries;
mod description;
mod doors;
mod enrolment;
mod external_broker;
mod half_sent;
mod health;
mod imports;
mod logging;
mod metrics;
mod page;
mod panels_http;
mod panels_mqtt;
mod postgres_tls;
mod requests;
mod roles;
mod said_before;
mod scheduled;
mod sessions;
mod settings;
mod signed;
mod sites;
mod strangers;
mod swaps;
mod tls;
mod tokens;
mod webhooks;
