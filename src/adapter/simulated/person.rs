//! Who an identity number belongs to, invented: the number and a seed decide a life situation, and
//! every authority answers from the same one, so that the eight answers fit together.

use chrono::{Datelike, NaiveDate};
use shs_schemas::Sensitive;

use crate::adapter::draw::Draw;

/// Age from which general pension is drawn here.
const PENSION_AGE: i32 = 66;
/// Ages of study aid for upper secondary school.
const STUDIEHJALP_AGES: std::ops::Range<i32> = 16..20;

/// What life an invented person leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Livssituation {
    /// Nobody knows the number.
    Okand,
    /// Studies with aid from CSN: studiehjälp under twenty, studiemedel after.
    Student,
    /// Draws a pension.
    Pensionar,
    /// Registered as looking for work, with unemployment benefit.
    Arbetssokande,
    /// Has children and benefits for them.
    Foralder,
    /// Works and owns a car; no benefits.
    Bilagare,
    /// Came to Sweden lately: a residence permit and a place in the establishment programme.
    Nyanland,
    /// Several at once: part-time studies with aid, part-time work search, children, survivor's
    /// pension, a car, an old residence permit.
    FleraFormaner,
}

impl Livssituation {
    /// Every situation, for tables and tests.
    pub const ALL: [Self; 8] = [
        Self::Okand,
        Self::Student,
        Self::Pensionar,
        Self::Arbetssokande,
        Self::Foralder,
        Self::Bilagare,
        Self::Nyanland,
        Self::FleraFormaner,
    ];
}

/// Test numbers (ssbtek-10, 7.3) whose situation does not depend on the seed, so that examples and
/// checks can rely on them. The first is the person of the demo.
pub const EXEMPELPERSONER: &[(&str, Livssituation)] = &[
    ("199503142383", Livssituation::FleraFormaner),
    ("199503022387", Livssituation::Student),
    ("199503032394", Livssituation::Arbetssokande),
    ("200411062383", Livssituation::Foralder),
    ("200411012396", Livssituation::Bilagare),
    // Born before 1900: Transportstyrelsen cannot be asked.
    ("189001019802", Livssituation::Pensionar),
    // Samordningsnummer: CSN's answer cannot carry them.
    ("198706872382", Livssituation::Nyanland),
    ("199304772388", Livssituation::Arbetssokande),
    ("191500722390", Livssituation::Pensionar),
    ("192304602390", Livssituation::Okand),
];

const FORNAMN_KVINNA: &[&str] = &[
    "Ida", "Alma", "Signe", "Maja", "Leila", "Ronja", "Åsa", "Märta",
];
const FORNAMN_MAN: &[&str] = &[
    "Nils", "Elis", "Karim", "Ture", "Östen", "Hugo", "Malte", "Åke",
];
const EFTERNAMN: &[&str] = &[
    "Exempelsson",
    "Provsson",
    "Testberg",
    "Mallgren",
    "Påhittström",
    "Låtsasson",
    "Fiktivander",
    "Övningsdahl",
];
const AKASSOR: &[&str] = &[
    "Exempelarbetarnas a-kassa",
    "Provtjänstemännens a-kassa",
    "Modellföretagarnas a-kassa",
];

/// Study aid of a person.
#[derive(Clone, Copy)]
pub(super) struct Studiestod {
    /// Upper secondary school (studiehjälp) instead of studiemedel.
    pub(super) studiehjalp: bool,
    /// Pace in per cent: 50, 75 or 100.
    pub(super) takt: u32,
    /// Whether the loan is taken too.
    pub(super) lan: bool,
}

/// Which pension a person draws.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pensionsslag {
    /// General pension, `PM:AP`.
    Allman,
    /// Survivor's pension, `PM:EF`.
    Efterlevande,
}

/// A pension.
#[derive(Clone, Copy)]
pub(super) struct Pension {
    pub(super) slag: Pensionsslag,
    /// Kronor a month before tax.
    pub(super) brutto: u32,
    /// Housing supplement, kronor a month: `PM:BTI`.
    pub(super) bostadstillagg: Option<u32>,
}

/// A vehicle.
pub(super) struct Fordon {
    pub(super) regnr: String,
    pub(super) fabrikat: &'static str,
    pub(super) handelsbeteckning: &'static str,
    pub(super) fordonsslag: &'static str,
    pub(super) ar: i32,
}

/// A decision by Migrationsverket.
#[derive(Clone, Copy)]
pub(super) struct Uppehallstillstand {
    pub(super) permanent: bool,
    pub(super) beslutat: NaiveDate,
}

/// One invented person. Without Debug on purpose.
pub(super) struct Person {
    number: Sensitive<String>,
    situation: Livssituation,
    fodd: NaiveDate,
    idag: NaiveDate,
    draw: Draw,
}

impl Person {
    /// The person with this twelve-digit number, on a given day.
    pub(super) fn new(personidentitet: &str, seed: u64, idag: NaiveDate) -> Self {
        let draw = Draw::new(seed).about(personidentitet.as_bytes());
        let fodd = fodelsedatum(personidentitet);
        Self {
            number: Sensitive::new(personidentitet.to_owned()),
            situation: situation(personidentitet, age(fodd, idag), draw),
            fodd,
            idag,
            draw,
        }
    }

    /// The twelve digits.
    pub(super) fn number(&self) -> &str {
        self.number.expose()
    }

    pub(super) fn situation(&self) -> Livssituation {
        self.situation
    }

    /// True unless nobody knows the number.
    pub(super) fn known(&self) -> bool {
        self.situation != Livssituation::Okand
    }

    pub(super) fn fodd(&self) -> NaiveDate {
        self.fodd
    }

    /// A draw about this person and one subject.
    pub(super) fn draw(&self, subject: &str) -> Draw {
        self.draw.about(subject.as_bytes())
    }

    pub(super) fn fornamn(&self) -> &'static str {
        if self.number().eq(EXEMPELPERSONER[0].0) {
            return "Ida";
        }
        let names = if self.is_woman() {
            FORNAMN_KVINNA
        } else {
            FORNAMN_MAN
        };
        self.draw("fornamn").pick(names)
    }

    pub(super) fn efternamn(&self) -> &'static str {
        if self.number().eq(EXEMPELPERSONER[0].0) {
            return "Exempelsson";
        }
        self.draw("efternamn").pick(EFTERNAMN)
    }

    /// The eleventh digit is even for women (ssbtek-10, 7.1).
    fn is_woman(&self) -> bool {
        self.number()
            .as_bytes()
            .get(10)
            .is_some_and(|digit| digit % 2 == 0)
    }

    pub(super) fn studiestod(&self) -> Option<Studiestod> {
        let studiehjalp = STUDIEHJALP_AGES.contains(&age(self.fodd, self.idag));
        match self.situation {
            Livssituation::Student => Some(Studiestod {
                studiehjalp,
                takt: self.draw("takt").pick(&[75, 100, 100]),
                lan: self.draw("lan").below(3) > 0,
            }),
            Livssituation::FleraFormaner => Some(Studiestod {
                studiehjalp,
                takt: 50,
                lan: true,
            }),
            _ => None,
        }
    }

    pub(super) fn pension(&self) -> Option<Pension> {
        let kronor = |least: u32, spread: u64| least + self.small("pension", spread) / 10 * 10;
        match self.situation {
            Livssituation::Pensionar => Some(Pension {
                slag: Pensionsslag::Allman,
                brutto: kronor(9_800, 9_000),
                bostadstillagg: (self.draw("bti").below(2) == 0)
                    .then(|| 1_500 + self.small("bti-belopp", 40) * 100),
            }),
            Livssituation::FleraFormaner => Some(Pension {
                slag: Pensionsslag::Efterlevande,
                brutto: kronor(4_600, 1_800),
                bostadstillagg: None,
            }),
            _ => None,
        }
    }

    /// Extent of the work search in per cent.
    pub(super) fn arbetssoker(&self) -> Option<u32> {
        match self.situation {
            Livssituation::Arbetssokande | Livssituation::Nyanland => Some(100),
            Livssituation::FleraFormaner => Some(50),
            _ => None,
        }
    }

    /// The unemployment fund that pays the person.
    pub(super) fn akassa(&self) -> Option<&'static str> {
        match self.situation {
            Livssituation::Arbetssokande | Livssituation::FleraFormaner => {
                Some(self.draw("akassa").pick(AKASSOR))
            }
            _ => None,
        }
    }

    /// Every invented unemployment fund.
    pub(super) const fn akassor() -> &'static [&'static str] {
        AKASSOR
    }

    /// Birth dates of the person's children, eldest first.
    pub(super) fn barn(&self) -> Vec<NaiveDate> {
        let number = match self.situation {
            // The young have one.
            Livssituation::Foralder if age(self.fodd, self.idag) < 26 => 1,
            Livssituation::Foralder => 1 + self.small("barn", 3),
            Livssituation::FleraFormaner => 2,
            _ => 0,
        };
        (0..number)
            .map(|n| self.days_ago("barn-fodelse", 300 + 900 * (number - 1 - n), 500))
            .collect()
    }

    /// The person's vehicles.
    pub(super) fn fordon(&self) -> Vec<Fordon> {
        let number = match self.situation {
            Livssituation::Bilagare => 1 + self.small("fordon", 2),
            Livssituation::FleraFormaner => 1,
            Livssituation::Pensionar | Livssituation::Foralder => self.small("fordon", 2),
            _ => 0,
        };
        (0..number).map(|n| self.vehicle(n)).collect()
    }

    fn vehicle(&self, n: u32) -> Fordon {
        const MODELLER: &[(&str, &str, &str)] = &[
            ("VOLVO", "V60", "Personbil"),
            ("SAAB", "9-5", "Personbil"),
            ("TOYOTA", "YARIS", "Personbil"),
            ("VOLKSWAGEN", "GOLF", "Personbil"),
            ("KIA", "CEED", "Personbil"),
            ("YAMAHA", "MT-07", "Motorcykel"),
        ];
        // I, Q and V are never issued: such a number is nobody's.
        const BOKSTAVER: &[char] = &['I', 'Q', 'V'];
        let draw = self.draw("fordon-slag").nth(u64::from(n));
        // The first vehicle is always a car.
        let models = if n == 0 { &MODELLER[..5] } else { MODELLER };
        let (fabrikat, handelsbeteckning, fordonsslag) = draw.pick(models);
        let letters: String = (0..3)
            .map(|place| draw.nth(place).pick(BOKSTAVER))
            .collect();
        Fordon {
            regnr: format!("{letters}{:03}", 1 + draw.nth(3).below(999)),
            fabrikat,
            handelsbeteckning,
            fordonsslag,
            ar: 2008 + i32::try_from(draw.nth(4).below(16)).unwrap_or(0),
        }
    }

    /// The person's residence permit.
    pub(super) fn uppehallstillstand(&self) -> Option<Uppehallstillstand> {
        let (permanent, days) = match self.situation {
            Livssituation::Nyanland => (false, 200),
            Livssituation::FleraFormaner => (true, 4_000),
            _ => return None,
        };
        Some(Uppehallstillstand {
            permanent,
            beslutat: self.days_ago("uppehallstillstand", days, 180),
        })
    }

    /// A day about `days` (and up to `spread` more) before the first of this year: it moves once a
    /// year and not with every question.
    pub(super) fn days_ago(&self, subject: &str, days: u32, spread: u64) -> NaiveDate {
        let new_year = NaiveDate::from_ymd_opt(self.idag.year(), 1, 1).unwrap_or(self.idag);
        let days = u64::from(days) + self.draw(subject).below(spread);
        new_year
            .checked_sub_days(chrono::Days::new(days))
            .unwrap_or(new_year)
    }

    /// A small drawn number from `0..bound`.
    pub(super) fn small(&self, subject: &str, bound: u64) -> u32 {
        u32::try_from(self.draw(subject).below(bound)).unwrap_or(0)
    }
}

fn situation(number: &str, age: i32, draw: Draw) -> Livssituation {
    if let Some((_, situation)) = EXEMPELPERSONER.iter().find(|(sample, _)| *sample == number) {
        return *situation;
    }
    let draw = draw.about(b"situation");
    if age >= PENSION_AGE {
        return draw.pick(&[
            Livssituation::Pensionar,
            Livssituation::Pensionar,
            Livssituation::Pensionar,
            Livssituation::Okand,
        ]);
    }
    if STUDIEHJALP_AGES.contains(&age) {
        return draw.pick(&[
            Livssituation::Student,
            Livssituation::Student,
            Livssituation::Student,
            Livssituation::Okand,
        ]);
    }
    if age < STUDIEHJALP_AGES.start {
        // No authority pays a child.
        return Livssituation::Okand;
    }
    draw.pick(&[
        Livssituation::Okand,
        Livssituation::Student,
        Livssituation::Arbetssokande,
        Livssituation::Arbetssokande,
        Livssituation::Foralder,
        Livssituation::Bilagare,
        Livssituation::Nyanland,
        Livssituation::FleraFormaner,
    ])
}

/// Birth date of a personnummer or samordningsnummer; an unknown month or day becomes the first,
/// and what is no date at all the first of its year.
fn fodelsedatum(number: &str) -> NaiveDate {
    let part = |range: std::ops::Range<usize>| -> u32 {
        number
            .get(range)
            .and_then(|digits| digits.parse().ok())
            .unwrap_or(0)
    };
    let year = i32::try_from(part(0..4)).unwrap_or(1900);
    let month = part(4..6).max(1);
    let day = part(6..8);
    let day = if day >= 60 { day - 60 } else { day }.max(1);
    NaiveDate::from_ymd_opt(year, month, day)
        .or_else(|| NaiveDate::from_ymd_opt(year, 1, 1))
        .unwrap_or_default()
}

fn age(fodd: NaiveDate, idag: NaiveDate) -> i32 {
    let had_birthday = (idag.month(), idag.day()) >= (fodd.month(), fodd.day());
    idag.year() - fodd.year() - i32::from(!had_birthday)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idag() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 21).unwrap()
    }

    #[test]
    fn the_demo_person_has_several_benefits_a_car_and_student_aid_whatever_the_seed() {
        for seed in 0..50 {
            let person = Person::new("199503142383", seed, idag());
            assert_eq!(person.situation(), Livssituation::FleraFormaner);
            assert!(person.studiestod().is_some() && person.pension().is_some());
            assert_eq!((person.fordon().len(), person.barn().len()), (1, 2));
            assert!(person.arbetssoker().is_some() && person.akassa().is_some());
            assert_eq!(
                (person.fornamn(), person.efternamn()),
                ("Ida", "Exempelsson")
            );
        }
    }

    #[test]
    fn the_sample_persons_show_every_situation() {
        for situation in Livssituation::ALL {
            assert!(
                EXEMPELPERSONER
                    .iter()
                    .any(|(_, sample)| *sample == situation),
                "{situation:?} has no sample person"
            );
        }
    }

    #[test]
    fn only_the_old_draw_pensions_and_no_child_draws_anything() {
        for seed in 0..200 {
            let person = Person::new("195007212382", seed, idag());
            assert!(matches!(
                person.situation(),
                Livssituation::Pensionar | Livssituation::Okand
            ));
            let person = Person::new("201507212385", seed, idag());
            assert_eq!(person.situation(), Livssituation::Okand);
            let person = Person::new("200907212383", seed, idag());
            assert!(person.pension().is_none());
            assert!(person.studiestod().is_none_or(|stod| stod.studiehjalp));
        }
    }

    #[test]
    fn every_situation_is_drawn_by_some_seed() {
        let mut drawn: Vec<_> = (0..200)
            .map(|seed| Person::new("199001012385", seed, idag()).situation())
            .collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(
            drawn.len(),
            Livssituation::ALL.len() - 1,
            "all but the pensioner: {drawn:?}"
        );
    }

    #[test]
    fn birth_dates_of_samordningsnummer_are_read() {
        let date = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        assert_eq!(fodelsedatum("198706872382"), date(1987, 6, 27));
        assert_eq!(fodelsedatum("191500722390"), date(1915, 1, 12));
        assert_eq!(fodelsedatum("192304602390"), date(1923, 4, 1));
        assert_eq!(fodelsedatum("199302892380"), date(1993, 1, 1));
    }
}
