//! From a certificate to actors, over real connections (shs-1.2, 7.6).

use samsvar::settings::{Fingerprint, Settings};

use crate::echo;
use crate::pki::{EXEMPELKOPING, PROVSTAD, Pki};
use crate::wire::Wire;

async fn said_to(wire: &mut Wire, headers: &str) -> String {
    wire.post(headers, b"").await;
    let response = wire.receive().await.unwrap();
    String::from_utf8(response.body).unwrap()
}

#[tokio::test]
async fn the_number_in_the_certificate_is_the_caller() {
    let pki = Pki::new();
    let mut settings = Settings::demo();
    pki.guard(&mut settings);
    let echo = echo::start(&settings);
    let mut wire = pki.wire("exempelkoping", echo.port()).await;
    assert_eq!(said_to(&mut wire, "").await, "certified 2120009994");
    let mut wire = pki.wire("node", echo.port()).await;
    assert_eq!(said_to(&mut wire, "").await, "certified 2021009994");
}

#[tokio::test]
async fn a_listed_certificate_speaks_for_every_actor_that_lists_it() {
    let pki = Pki::new();
    pki.client("driftbolag", "5560000001");
    let mut settings = Settings::demo();
    pki.guard(&mut settings);
    let der = base64_simd::STANDARD
        .decode_to_vec(pki.in_base64("driftbolag"))
        .unwrap();
    let print = samsvar::tls::actors::fingerprint(&der.into());
    for aktor in &mut settings.aktorer {
        aktor.certificates = vec![Fingerprint::new([7; 32]), print];
    }
    let echo = echo::start(&settings);
    let mut wire = pki.wire("driftbolag", echo.port()).await;
    let expected = format!("certified {PROVSTAD} {EXEMPELKOPING} 5560000001");
    assert_eq!(said_to(&mut wire, "").await, expected);
}

#[tokio::test]
async fn a_plain_loopback_listener_is_for_our_own_systems() {
    let echo = echo::start(&Settings::demo());
    let mut wire = Wire::to(echo.address).await;
    assert_eq!(said_to(&mut wire, "X-Client-Cert: x\r\n").await, "internal");
}

#[tokio::test]
async fn a_header_of_a_terminator_means_nothing_from_a_caller() {
    let pki = Pki::new();
    let mut settings = Settings::demo();
    pki.guard(&mut settings);
    settings.listener.terminator =
        Some(crate::a_terminator_speaks_for_its_callers::at("192.0.2.1"));
    let echo = echo::start(&settings);
    let header = format!("X-Client-Cert: {}\r\n", pki.in_base64("exempelkoping"));
    let mut wire = pki.wire("provstad", echo.port()).await;
    assert_eq!(said_to(&mut wire, &header).await, "certified 2120009986");
    assert_eq!(
        said_to(&mut wire, "X-Client-Cert: x\r\n").await,
        "certified 2120009986"
    );
}
