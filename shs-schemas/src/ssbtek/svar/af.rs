//! Arbetsförmedlingen's answer (ssbtek-10, 4.1).

use super::simple::{BOOLEAN, DATE, INT, NORMALIZED, STRING, at_most, twelve_digits};
use super::structure::{Content, Element, Open, Type, UNBOUNDED};
use crate::ssbtek::xsd::Rule;

const NS: &str = "http://api.arbetsformedlingen.se/arbetssokande/ersattningsstod/v2";

const fn one(path: &'static str, of: &'static Type) -> Element {
    Element::one(Some(NS), path, of)
}

/// `data`: the question back, the answer, anything.
pub(super) static DATA: Type = Type::named(
    NS,
    "SvarMeddelande",
    &[one("Fraga", &FRAGA), one("Svar", &SVAR)],
    Open::Any,
);

static FRAGA: Type = Type::named(
    NS,
    "Fraga",
    &[
        one("Fraga/Test", &BOOLEAN).optional(),
        one("Fraga/OrganisationsnummerForIngivare", &ORGANISATIONSNUMMER),
        one("Fraga/NamnPaIngivare", &STRING),
        one("Fraga/KontonamnForHandlaggare", &STRING),
        one("Fraga/Referensnummer", &STRING),
        one("Fraga/From", &DATE),
        one("Fraga/Tom", &DATE),
        one("Fraga/SyfteMedFraga", &STRING),
        one("Fraga/LagParagraf", &STRING),
        one(
            "Fraga/OrganisationsnummerForPersonuppgiftsbitrade",
            &ORGANISATIONSNUMMER,
        )
        .optional(),
        one("Fraga/NamnPaPersonuppgiftsbitrade", &STRING).optional(),
        one("Fraga/IdentitetsbeteckningFysiskPerson", &PERSONNUMMER),
    ],
    Open::Any,
);

static SVAR: Type = Type::named(
    NS,
    "Svar",
    &[
        one("Svar/Schemaversion", &STRING),
        one("Svar/Referensnummer", &STRING),
        one("Svar/LagParagraf", &STRING),
        one("Svar/IdentitetsbeteckningFysiskPerson", &PERSONNUMMER),
        one("Svar/Fornamn", &STRING).optional(),
        one("Svar/Efternamn", &STRING).optional(),
        one("Svar/Sekretessmarkering", &BOOLEAN).optional(),
        one("Svar/ArbetssokandeInfo", &ARBETSSOKANDE).optional(),
        one("Svar/BeslutInfo", &BESLUT_INFO).optional(),
        one("Svar/Akassetillhorighet", &STRING).optional(),
        one("Svar/StatusSokandeinformationKod", &INT),
        one("Svar/StatusSokandeinformationKodText", &STRING),
    ],
    Open::Any,
);

static ARBETSSOKANDE: Type = Type::named(
    NS,
    "ArbetssokandeInfo",
    &[
        one("ArbetssokandeInfo/Arbetssokande", &BOOLEAN).optional(),
        one("ArbetssokandeInfo/ArbetssokandeSKAT", &NORMALIZED).optional(),
        one("ArbetssokandeInfo/ArbetssokandeRegistrerad", &DATE).optional(),
        one("ArbetssokandeInfo/ArbetssokandeOmfattning", &INT).optional(),
        one("ArbetssokandeInfo/ArbetssokandeAvaktualiserad", &DATE).optional(),
        // Spelled so, and its children otherwise.
        one("ArbetssokandeInfo/AktivetetsRapportDatum", &RAPPORT),
    ],
    Open::Closed,
);

static RAPPORT: Type = Type::named(
    NS,
    "AktivetetsRapportDatum",
    &[
        one(
            "AktivetetsRapportDatum/AktivitetsRapportMeddelande",
            &STRING,
        ),
        one(
            "AktivetetsRapportDatum/SenasteAktivitetsRapportDatum",
            &DATE,
        )
        .optional(),
    ],
    Open::Closed,
);

static BESLUT_INFO: Type = Type::named(
    NS,
    "BeslutInfo",
    &[one("BeslutInfo/EkonomiskaBeslut", &EKONOMISKA_BESLUT)],
    Open::Any,
);

static EKONOMISKA_BESLUT: Type =
    Type::of(&[one("EkonomiskaBeslut/Beslut", &BESLUT).up_to(UNBOUNDED)]);

static BESLUT: Type = Type::anonymous(Content::Sequence(
    &[
        one("Beslut/ErsattningTyp", &STRING),
        one("Beslut/Omfattning", &INT),
        one("Beslut/BeslutFrom", &DATE),
        one("Beslut/BeslutTom", &DATE),
    ],
    Open::Any,
));

static ORGANISATIONSNUMMER: Type = Type::simple(NS, "Organisationsnummer", organisationsnummer);
static PERSONNUMMER: Type = Type::simple(NS, "Personnummer", twelve_digits);

fn organisationsnummer(text: &str) -> Result<(), Rule> {
    if at_most(text, 12) && !at_most(text, 9) {
        Ok(())
    } else {
        Err("not ten to twelve characters")
    }
}
