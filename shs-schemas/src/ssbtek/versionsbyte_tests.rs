use super::*;

const NS: &str = "http://schema.forsakringskassan.se/integration/ssbt/10";
const AF: &str = "http://api.arbetsformedlingen.se/arbetssokande/ersattningsstod/v2";

fn bindningar(element: &str, of: Svarselement) -> Option<Bindningar> {
    yttre_bindningar(element.as_bytes(), of, Kontrakt::V10)
}

fn exchanged(element: &str, of: Svarselement) -> Option<String> {
    let bindningar = bindningar(element, of)?;
    let mut out = Vec::new();
    bindningar.splice(
        &mut out,
        element.as_bytes(),
        0..element.len(),
        Kontrakt::V11,
    );
    let pieces = bindningar.undo(element.as_bytes(), &out, Kontrakt::V11);
    assert_eq!(pieces.unwrap().concat(), element.as_bytes());
    Some(String::from_utf8(out).unwrap())
}

#[test]
fn outer_declarations_are_exchanged_and_inner_ones_stay() {
    let inner = format!("<a:Fraga><x xmlns='{NS}'/><s:y xmlns:s='{NS}'><s:z/></s:y></a:Fraga>");
    let element = format!(
        "<s:AF xmlns:s='{NS}' xmlns:a='{AF}'><s:data xmlns:t=\"{NS}\">{inner}</s:data></s:AF>"
    );
    let expected = format!(
        "<s:AF xmlns:s='{NS}' xmlns:a='{AF}'><s:data xmlns:t=\"{NS}\">INNER</s:data></s:AF>"
    )
    .replace("ssbt/10", "ssbt/11")
    .replace("INNER", &inner);
    assert_eq!(exchanged(&element, Svarselement::Af).unwrap(), expected);
}

#[test]
fn base64_and_errors_have_elements_of_the_contract_only() {
    let csn = format!("<CSN xmlns='{NS}'><data><s:svar xmlns:s='{NS}'>YQ==</s:svar></data></CSN>");
    let all = csn.replace("ssbt/10", "ssbt/11");
    assert_eq!(exchanged(&csn, Svarselement::Csn).unwrap(), all);
    let error = format!(
        "<s:AF xmlns:s='{NS}'><error xmlns='{NS}'><kalla>BT</kalla><t:felkod xmlns:t='{NS}'>1\
         </t:felkod><felmeddelande>{NS}</felmeddelande></error></s:AF>"
    );
    let expected = error.replace("/10'", "/11'");
    assert_eq!(exchanged(&error, Svarselement::Af).unwrap(), expected);
}

#[test]
fn a_name_inside_that_leans_on_an_outer_declaration_stops_the_exchange() {
    let with = |inner: &str| {
        let element = format!(
            "<s:AF xmlns:s='{NS}' xmlns:a='{AF}' \
             xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><s:data><a:Fraga/>{inner}\
             </s:data></s:AF>"
        );
        bindningar(&element, Svarselement::Af).is_some()
    };
    for leans in [
        "<s:x/>",
        "<a:x><s:y/></a:x>",
        "<a:x s:y=''/>",
        "<a:x xsi:type='s:T'/>",
        "<a:x xsi:type=' s:T '/>",
        &format!("<s:x xmlns:s='{NS}'/><s:y/>"),
        &format!("<a:x><s:x xmlns:s='{NS}'><a:y/></s:x><s:y/></a:x>"),
    ] {
        assert!(!with(leans), "{leans}");
    }
    for stands_alone in [
        "",
        "<a:x y='s:z'/>",
        "<a:x xsi:type='a:T'/>",
        "<a:x xsi:type='T'/>",
        "<s:x xmlns:s='urn:x'/>",
        &format!("<s:x xmlns:s='{NS}' s:z=''><s:y/></s:x>"),
        &format!("<x xmlns='{NS}'/>"),
        "<a:x>s:y</a:x>",
    ] {
        assert!(with(stands_alone), "{stands_alone}");
    }
    let default =
        format!("<AF xmlns='{NS}'><data><a:Fraga xmlns:a='{AF}'><x/></a:Fraga></data></AF>");
    assert!(bindningar(&default, Svarselement::Af).is_none());
    let undone = default.replace("<x/>", "<x xmlns=''/>");
    assert!(bindningar(&undone, Svarselement::Af).is_some());
}

#[test]
fn undoing_shows_what_was_changed_in_between() {
    let element = format!("<s:SKV xmlns:s='{NS}'><s:data><svar>a</svar></s:data></s:SKV>");
    let noted = bindningar(&element, Svarselement::Skv).unwrap();
    let source = element.as_bytes();
    let mut out = Vec::new();
    noted.splice(&mut out, source, 0..source.len(), Kontrakt::V11);
    for at in 0..out.len() {
        let mut changed = out.clone();
        changed[at] ^= 1;
        let undone = noted.undo(source, &changed, Kontrakt::V11);
        assert_ne!(undone.map(|pieces| pieces.concat()), Some(source.to_vec()));
    }
    for cut in 0..out.len() {
        assert_eq!(noted.undo(source, &out[..cut], Kontrakt::V11), None);
    }
    out.push(b' ');
    assert_eq!(noted.undo(source, &out, Kontrakt::V11), None);
}
