//! Any history, beside a model that keeps everything: what is owed is exactly what has no end.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;

/// What may happen next, to which message.
#[derive(Clone, Debug)]
enum Step {
    Accept(u32),
    /// The same message under another name, as after a restart.
    Again(u32),
    Split(u32, u32),
    Note(u32, What),
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0_u32..12;
    let slag = prop_oneof![
        Just(Slag::Meddelande),
        Just(Slag::Svar),
        Just(Slag::Fel),
        Just(Slag::FelOmSvar),
        Just(Slag::Bekraftelse),
    ];
    let noted = prop_oneof![
        slag.clone().prop_map(kvitterat),
        (slag, prop_oneof![Just(Way::Push), Just(Way::Outbox)]).prop_map(|(slag, way)| {
            What::Levererat {
                slag,
                way,
                attempts: 1,
                ms: 1,
            }
        }),
        prop_oneof![Just(Gallring::TidenUte), Just(Gallring::EjKvitterat)].prop_map(gallrat),
        prop_oneof![
            Just(Avbrott::Nedstangning),
            Just(Avbrott::EjAntecknat),
            Just(Avbrott::AktorFoll),
        ]
        .prop_map(avbrutet),
    ];
    prop_oneof![
        4 => which.clone().prop_map(Step::Accept),
        1 => which.clone().prop_map(Step::Again),
        1 => (which.clone(), 2_u32..4).prop_map(|(of, copies)| Step::Split(of, copies)),
        4 => (which, noted).prop_map(|(of, what)| Step::Note(of, what)),
        1 => Just(Step::Crash),
    ]
}

/// What is known of a message by a model that keeps everything: ends that it still lacks, by the name of
/// its receipt, in the order of receipts.
#[derive(Default)]
struct Model {
    open: Vec<(u32, u32, u32)>,
}

impl Model {
    fn keeps(what: &What) -> bool {
        let of_promise = |slag: &Slag| matches!(slag, Slag::Meddelande | Slag::Svar | Slag::Fel);
        match what {
            What::Kvitterat { slag } => of_promise(slag),
            What::Levererat { slag, way, .. } => *way == Way::Push && of_promise(slag),
            What::Gallrat { reason, .. } => *reason == Gallring::EjKvitterat,
            _ => false,
        }
    }

    /// Takes out a receipt, and those of the same message before it.
    fn close(&mut self, name: u32) {
        let Some(at) = self.open.iter().position(|(known, ..)| *known == name) else {
            return;
        };
        let message = self.open[at].1;
        let mut index = 0;
        self.open.retain(|(_, other, _)| {
            index += 1;
            *other != message || index > at + 1
        });
    }

    /// The last receipt of each message that has any.
    fn owed(&self) -> Vec<u32> {
        let last: HashMap<u32, u32> = self.open.iter().map(|(name, of, _)| (*of, *name)).collect();
        let mut owed: Vec<u32> = last.into_values().collect();
        owed.sort_unstable();
        owed
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn of_any_history_exactly_what_has_no_end_is_owed_one(steps in prop::collection::vec(step(), 0..60)) {
        let mut rig = Rig::new();
        let mut model = Model::default();
        // The names of the receipts of each message.
        let mut names_of: HashMap<u32, Vec<u32>> = HashMap::new();
        let mut on_its_way = HashSet::new();
        let mut name = 0;
        for step in steps {
            match step {
                Step::Accept(of) | Step::Again(of) => {
                    if matches!(step, Step::Accept(_)) && names_of.contains_key(&of) {
                        continue;
                    }
                    name += 1;
                    names_of.entry(of).or_default().push(name);
                    rig.accept(name, &tx(of + 1_000));
                    model.open.push((name, of, 1));
                }
                Step::Split(of, copies) => {
                    let Some(name) = names_of.get(&of).and_then(|names| names.last()) else { continue };
                    // A message is split before anything else becomes of it.
                    if let Some(open) = model.open.iter_mut().find(|(known, ..)| known == name)
                        && on_its_way.insert(*name)
                    {
                        open.2 = copies;
                        rig.note(*name, What::Delat { copies });
                    }
                }
                Step::Note(of, what) => {
                    let Some(name) = names_of.get(&of).and_then(|names| names.last()) else { continue };
                    on_its_way.insert(*name);
                    let open = model.open.iter_mut().find(|(known, ..)| known == name);
                    match (&what, open) {
                        (What::Avbrutet { reason: Avbrott::EjAntecknat }, Some(open)) if open.2 == 1 => {
                            model.open.retain(|(known, ..)| known != name);
                        }
                        (What::Avbrutet { reason: Avbrott::EjAntecknat }, _) => continue,
                        (_, Some(open)) if Model::keeps(&what) => {
                            open.2 -= 1;
                            if open.2 == 0 {
                                model.close(*name);
                            }
                        }
                        _ => {}
                    }
                    rig.note(*name, what);
                }
                Step::Crash => {
                    let mut owed = names(&rig.standing());
                    owed.sort_unstable();
                    prop_assert_eq!(owed, model.owed());
                    let taken_up = rig.take_up();
                    for owed in taken_up {
                        let name = u32::try_from(owed.request_id.as_u128() & 0xffff_ffff).unwrap();
                        let open = model.open.iter_mut().find(|(known, ..)| *known == name).unwrap();
                        open.2 = 1;
                        on_its_way.insert(name);
                    }
                }
            }
        }
        let mut owed = names(&rig.standing());
        owed.sort_unstable();
        prop_assert_eq!(owed, model.owed());
    }
}
