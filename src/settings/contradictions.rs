//! Rules between values: what each one allows by itself and the whole does not.

use std::borrow::Cow;
use std::collections::HashSet;

use super::http::PLAIN_IS_LOOPBACK;
use super::{Aktor, Delivery, Ldap, Settings, Status, TransportKind};

/// Every rule that is broken: the setting to name, and why.
pub(super) fn contradictions(settings: &Settings) -> Vec<(Cow<'static, str>, &'static str)> {
    [
        (
            settings.listener.address == settings.admin.address
                && settings.admin.address.port() != 0,
            "admin.address",
            "the admin listener may not be the service listener",
        ),
        (
            settings.ssbtek.product == settings.ssbtek.ping_product,
            "ssbtek.ping_product",
            "the ping product may not be the SSBTEK product",
        ),
        (
            settings.outbox.bytes_max > settings.outbox.bytes_total_max,
            "outbox.bytes_max",
            "one actor may not have more than all together (bytes_total_max)",
        ),
        (
            settings.outbox.reserve_bytes > settings.outbox.bytes_max,
            "outbox.reserve_bytes",
            "the place of one message may not be above bytes_max",
        ),
        (
            settings.deadline.promise_s >= settings.deadline.limit_s,
            "deadline.promise_s",
            "the promise must be below limit_s",
        ),
        (
            settings.deadline.margin() >= settings.deadline.promise(),
            "deadline.margin_ms",
            "the margin must be below promise_s",
        ),
        (
            settings.load.open_per_sender_max > settings.load.open_requests_max,
            "load.open_per_sender_max",
            "one sender may not have more open than all together (open_requests_max)",
        ),
        (
            u64::from(settings.dispatcher.answer_bytes_max) > settings.load.answers_bytes_max,
            "load.answers_bytes_max",
            "all answers together may not have less than one (dispatcher.answer_bytes_max)",
        ),
        (
            settings.dispatcher.circuit_impatient_after
                > settings.dispatcher.circuit_timeouts_in_a_row,
            "dispatcher.circuit_impatient_after",
            "may not be above circuit_timeouts_in_a_row",
        ),
        (
            settings.amqp.reconnect_first_ms > settings.amqp.reconnect_longest_ms,
            "amqp.reconnect_first_ms",
            "the first wait may not be above reconnect_longest_ms",
        ),
        (
            settings.relay.retry_first_ms > 1000 * settings.relay.retry_longest_s,
            "relay.retry_first_ms",
            "the first wait may not be above retry_longest_s",
        ),
        (
            settings.ledger.folder.is_some()
                && settings.ledger.retention_days.is_none()
                && settings.node.status.contains(&Status::Production)
                && !is_development(settings),
            "ledger.retention_days",
            "a node that asks about real people is told how many days its ledger is kept",
        ),
        (
            settings.supervision.backoff_first_ms > settings.supervision.backoff_longest_ms,
            "supervision.backoff_first_ms",
            "the first wait may not be above backoff_longest_ms",
        ),
        (
            settings.transport.kind == TransportKind::Amqp && !settings.amqp.has_address(),
            "amqp",
            "RabbitMQ needs url, url_file or SAMSVAR_AMQP__URL",
        ),
        (
            settings.amqp.url.is_some() && settings.amqp.url_file.is_some(),
            "amqp.url_file",
            "give either url or url_file",
        ),
        (
            settings.amqp.management_url.is_some() && settings.amqp.management_url_file.is_some(),
            "amqp.management_url_file",
            "give either management_url or management_url_file",
        ),
    ]
    .into_iter()
    .chain(of_the_directory(&settings.ldap))
    .chain(of_certificates(settings))
    .filter_map(|(broken, path, message)| broken.then_some((path.into(), message)))
    .chain(of_aktorer(&settings.aktorer))
    .collect()
}

/// Rules of each `[[aktor]]`, which is named by its place.
fn of_aktorer(aktorer: &[Aktor]) -> Vec<(Cow<'static, str>, &'static str)> {
    let mut seen = HashSet::new();
    let mut broken = Vec::new();
    for (place, aktor) in aktorer.iter().enumerate() {
        let pushed = aktor.delivery == Delivery::Push;
        let has_address = aktor.address.is_some() || !aktor.addresses.is_empty();
        let rules = [
            (
                !seen.insert(&aktor.organisationsnummer),
                "an organisationsnummer stands here twice",
            ),
            (
                pushed && !has_address,
                "delivery \"push\" needs address or addresses",
            ),
            (
                !pushed && has_address,
                "an address is only used with delivery \"push\"",
            ),
        ];
        let of_this = rules.into_iter().filter(|(is_broken, _)| *is_broken);
        broken.extend(of_this.map(|(_, why)| (format!("aktor[{place}]").into(), why)));
    }
    broken
}

fn of_the_directory(ldap: &Ldap) -> [(bool, &'static str, &'static str); 4] {
    [
        (
            ldap.is_plain(),
            "ldap.url",
            "plain ldap:// is for a loopback host only: use ldaps:// or start_tls",
        ),
        (
            ldap.is_doubly_tls(),
            "ldap.start_tls",
            "an ldaps:// connection begins with TLS",
        ),
        (
            ldap.is_half_bound(),
            "ldap.bind_dn",
            "give bind_dn and a password (password_file or SAMSVAR_LDAP__PASSWORD), or neither",
        ),
        (
            ldap.password.is_some() && ldap.password_file.is_some(),
            "ldap.password_file",
            "give either password or password_file",
        ),
    ]
}

/// Rules between the settings that name certificates.
fn of_certificates(settings: &Settings) -> [(bool, &'static str, &'static str); 5] {
    let (tls, terminator) = (&settings.listener.tls, &settings.listener.terminator);
    let next_node = &settings.next_node;
    let aktorer = &settings.aktorer;
    [
        (
            tls.is_none() && !settings.listener.address.ip().is_loopback(),
            "listener.address",
            PLAIN_IS_LOOPBACK,
        ),
        (
            tls.is_none()
                && terminator
                    .as_ref()
                    .is_some_and(|one| one.client_ca.is_none()),
            "listener.terminator",
            "client_ca is needed: there is no [listener.tls] to take it from",
        ),
        (
            terminator
                .as_ref()
                .is_some_and(|one| one.client_ca.is_none() && !one.crls.is_empty()),
            "listener.terminator.crls",
            "only used together with client_ca",
        ),
        (
            next_node.certificate.is_some() != next_node.key.is_some(),
            "next_node",
            "certificate and key are given together or not at all",
        ),
        (
            next_node.ca.is_none() && aktorer.iter().any(Aktor::is_pushed_to_over_https),
            "next_node",
            "ca is needed: an actor has an https address",
        ),
    ]
}

/// A node that only this machine can reach, without TLS and without a terminator before it: it serves
/// nobody but whoever sits at it.
fn is_development(settings: &Settings) -> bool {
    settings.listener.tls.is_none() && settings.listener.terminator.is_none()
}
