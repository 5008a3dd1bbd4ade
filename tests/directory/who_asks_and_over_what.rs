//! Binding, TLS and what is wrong with them.

use std::time::Instant;

use samsvar::directory::ldap::LdapFault;
use samsvar::settings::Ldap;
use shs_schemas::Sensitive;

use crate::rig::{LONGEST, SLACK, answers, ldap};
use crate::slapd::{BIND_DN, PASSWORD, Readers, Slapd};

fn bound(url: &str, password: &str) -> Ldap {
    Ldap {
        bind_dn: Some(BIND_DN.to_owned()),
        password: Some(Sensitive::new(password.to_owned())),
        ..ldap(url)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_wants_a_name_gets_it() {
    let Some(slapd) = Slapd::start(Readers::Bound) else {
        return;
    };
    answers(&bound(&slapd.url(), PASSWORD)).await.unwrap();
    let fault = answers(&bound(&slapd.url(), "fel")).await.unwrap_err();
    assert!(matches!(fault, LdapFault::Bind(49)), "{fault}");
    let fault = answers(&ldap(&slapd.url())).await.unwrap_err();
    assert!(matches!(fault, LdapFault::Refused(50)), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_and_start_tls_are_with_the_certificates_of_the_settings_only() {
    let Some(slapd) = Slapd::shared() else { return };
    let ca = Some(slapd.ca());
    let tls = ldap(&slapd.tls_url());
    let start_tls = Ldap {
        start_tls: true,
        ..ldap(&slapd.url().replace("127.0.0.1", "localhost"))
    };
    for settings in [tls, start_tls] {
        let fault = answers(&settings).await.unwrap_err();
        assert!(matches!(fault, LdapFault::Unreachable(_)), "{fault}");
        let trusting = Ldap {
            ca: ca.clone(),
            ..settings
        };
        answers(&trusting).await.unwrap();
        // The certificate is for localhost.
        let url = trusting.url.as_ref().unwrap().as_str();
        let other = Ldap {
            url: ldap(&url.replace("localhost", "127.0.0.1")).url,
            ..trusting.clone()
        };
        let fault = answers(&other).await.unwrap_err();
        assert!(matches!(fault, LdapFault::Unreachable(_)), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_speak_tls_costs_the_time_to_connect() {
    let Some(slapd) = Slapd::shared() else { return };
    let plain = slapd.url().replace("ldap://127.0.0.1", "ldaps://localhost");
    let begun = Instant::now();
    answers(&ldap(&plain)).await.unwrap_err();
    assert!(begun.elapsed() < LONGEST + SLACK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_that_does_not_exist_is_a_fault_and_not_an_empty_directory() {
    let Some(slapd) = Slapd::shared() else { return };
    let settings = Ldap {
        base: "l=Annat".to_owned(),
        ..ldap(&slapd.url())
    };
    let fault = answers(&settings).await.unwrap_err();
    assert!(matches!(fault, LdapFault::Refused(32)), "{fault}");
}
