//! Who is asked for LEFI, what Skatteverket is asked for by default, and the public address.

use super::super::tests::in_process;
use super::*;

#[test]
fn what_is_left_out_is_as_the_contract_has_it() {
    let settings = in_process("").load(&[]).unwrap().ssbtek;
    assert_eq!(LefiVag::from(settings.lefi), LefiVag::Delad);
    assert_eq!(SkvStandard::from(settings.skv), SkvStandard::default());
    assert_eq!(settings.soap_address, None);
}

#[test]
fn every_value_can_be_set() {
    let folder = in_process(
        "[ssbtek]\nlefi = 'unsplit'\nsoap_address = 'https://ssbtek.example.se:8585/'\n\
         [ssbtek.skv]\nyears = 10\nforetagsinformation = true\nindividuppgifter = false\n\
         skattekonto = false\nskatteuppgifter = false\nbeskattningsbilagor = false\n",
    );
    let settings = folder.load(&[]).unwrap().ssbtek;
    assert_eq!(LefiVag::from(settings.lefi), LefiVag::Odelad);
    let address = settings.soap_address.unwrap();
    assert_eq!(address.as_str(), "https://ssbtek.example.se:8585");
    let expected = SkvStandard {
        antal_ar: 10,
        foretagsinformation: true,
        individuppgifter: false,
        skattekonto: false,
        skatteuppgifter: false,
        beskattningsbilagor: false,
    };
    assert_eq!(SkvStandard::from(settings.skv), expected);
}

#[test]
fn what_is_out_of_bounds_or_unknown_is_named_with_its_line() {
    for (text, fault) in [
        (
            "[ssbtek.skv]\nyears = 0",
            "8: ssbtek.skv.years: lower than 1",
        ),
        (
            "[ssbtek.skv]\nyears = 11",
            "8: ssbtek.skv.years: greater than 10",
        ),
        ("[ssbtek.skv]\nyears = 256", "8: invalid value"),
        ("[ssbtek.skv]\nskatt = true", "8: unknown field `skatt`"),
        ("[ssbtek]\nlefi = 'both'", "8: unknown variant"),
        (
            "[ssbtek]\nsoap_address = 'ssbtek.example.se'",
            "8: is not an address of",
        ),
    ] {
        let faults = in_process(&format!("{text}\n")).faults(&[]);
        assert!(
            faults.starts_with(&format!("samsvar.toml:{fault}")),
            "{faults}"
        );
    }
}

#[test]
fn the_environment_reaches_the_section_within_the_section() {
    let variables = [
        ("SAMSVAR_SSBTEK__LEFI", "unsplit"),
        ("SAMSVAR_SSBTEK__SOAP_ADDRESS", "https://ssbtek.example.se"),
        ("SAMSVAR_SSBTEK__SKV__YEARS", "3"),
        ("SAMSVAR_SSBTEK__SKV__SKATTEKONTO", "false"),
    ];
    for text in ["", "[ssbtek.skv]\nyears = 4\n"] {
        let settings = in_process(text).load(&variables).unwrap().ssbtek;
        assert_eq!((settings.lefi, settings.skv.years), (Lefi::Unsplit, 3));
        assert!(!settings.skv.skattekonto && settings.skv.skatteuppgifter);
        assert!(settings.soap_address.is_some());
    }
    for (name, text, fault) in [
        (
            "SAMSVAR_SSBTEK__SKV__YEARS",
            "11",
            "ssbtek.skv.years: greater than 10",
        ),
        (
            "SAMSVAR_SSBTEK__SKV__YEARS",
            "tre",
            "is not a value of the kind",
        ),
        ("SAMSVAR_SSBTEK__SKV__AR", "3", "unknown field `ar`"),
        // Sections that cannot be told from the reference.
        (
            "SAMSVAR_SSBTEK__TNS__YEARS",
            "3",
            "must name one section and one key",
        ),
        (
            "SAMSVAR_LISTENER__TLS__KEY",
            "a",
            "must name one section and one key",
        ),
        (
            "SAMSVAR_SSBTEK__SKV__YEARS__MAX",
            "3",
            "must name one section and one key",
        ),
        // A section where a value belongs.
        ("SAMSVAR_SSBTEK__SKV", "3", "invalid type"),
    ] {
        let faults = in_process("").faults(&[(name, text)]);
        assert!(faults.starts_with(&format!("{name}: {fault}")), "{faults}");
    }
}

#[test]
fn an_address_is_an_origin_and_nothing_more() {
    for good in [
        "https://ssbtek.example.se",
        "http://127.0.0.1:8585",
        "https://[2001:db8::1]:8585/",
    ] {
        let address = SoapAddress::try_from(good.to_owned()).unwrap();
        assert_eq!(address.as_str(), good.trim_end_matches('/'));
    }
    let long = format!("https://{}.example.se", "a".repeat(ADDRESS_BYTES_MAX));
    for bad in [
        "",
        "https://",
        "https:///",
        "ssbtek.example.se:8585",
        "ftp://ssbtek.example.se",
        "https://ssbtek.example.se/ssbt",
        "https://ssbtek.example.se//",
        "https://ssbtek.example.se?wsdl",
        "https://ssbtek.example.se/?",
        "https://ssbtek.example.se#a",
        "https://nod:hemligt@ssbtek.example.se",
        "https://ssbtek.example.se:99999",
        "https://ssbtek example.se",
        &long,
    ] {
        assert!(SoapAddress::try_from(bad.to_owned()).is_err(), "{bad}");
    }
}
