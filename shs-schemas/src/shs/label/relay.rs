//! What a node changes in an asynchronous label on its way (shs-1.2, 7.3 and 7.4); nothing else.

use chrono::{DateTime, Utc};

use super::{Actor, Adress, History, Label};
use crate::ids::{LocalId, NodeId, TxId};
use crate::sensitive::Sensitive;
use crate::shs::time;

/// What our history entries say.
const RECEIVED: &str = "Received";

impl Label {
    /// Appends this node's history entry (7.3, step 1; the form is that of 9.4): who had the
    /// message when, under which key of its own, and what the label said then. Call it after
    /// [`Label::set_from_if_absent`], so that the entry names the sender.
    pub fn received(&mut self, node: NodeId, local: LocalId, now: DateTime<Utc>) {
        let urn = |actor: &Option<Actor>| actor.as_ref().map(|actor| actor.address.to_string());
        self.history.push(History {
            node_id: node,
            content_id: Some(self.content.id.clone()),
            tx_id: Some(self.tx_id.clone()),
            from: urn(&self.from),
            to: urn(&self.to),
            local_id: Some(local),
            agreement: self.agreement.clone(),
            datetime: time::swedish(now),
            comment: Some(Sensitive::new(RECEIVED.to_owned())),
        });
    }

    /// `from` := own actor, if the label has none (7.3, step 2).
    pub fn set_from_if_absent(&mut self, own: &Actor) {
        self.from.get_or_insert_with(|| own.clone());
    }

    /// `to` := the receiver that was worked out (7.3, step 3). A `to` that is there stays, inner
    /// id included.
    pub fn address_to(&mut self, address: Adress, common_name: Option<String>) {
        self.to
            .get_or_insert_with(|| Actor::new(address, common_name));
    }

    /// Fills in what the directory knows of the parties, where the label says nothing (7.3, step
    /// 4): the name of `from` and with it its URI, and the name of `to`. A blank name counts as
    /// none, and so does the actor's own number, which stands in for a name that is not known.
    /// Parties that the label does not have stay absent.
    pub fn fill_names(
        &mut self,
        from_name: Option<&str>,
        from_uri: Option<&str>,
        to_name: Option<&str>,
    ) {
        if let (Some(from), Some(name)) = (&mut self.from, from_name)
            && is_nameless(from)
        {
            from.common_name = Some(name.to_owned());
            if is_blank(from.labeled_uri.as_deref()) {
                from.labeled_uri = from_uri.map(str::to_owned);
            }
        }
        if let (Some(to), Some(name)) = (&mut self.to, to_name)
            && is_nameless(to)
        {
            to.common_name = Some(name.to_owned());
        }
    }

    /// The copy for one of several receivers (7.4, step 6): a transfer of its own, without
    /// history, addressed; everything else as it is, `corr.id`, `content.id` and time included.
    #[must_use]
    pub fn copy_for(&self, receiver: Actor) -> Self {
        Self {
            tx_id: TxId::fresh(),
            to: Some(receiver),
            history: Vec::new(),
            ..self.clone()
        }
    }
}

fn is_nameless(actor: &Actor) -> bool {
    let name = actor.common_name.as_deref();
    is_blank(name) || name == Some(actor.address.organisation().as_str())
}

fn is_blank(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime::Limits;

    /// The label of shs-1.2, 9.4.
    const EVENT: &str = r#"<?xml version="1.0" encoding="ISO-8859-1"?>
<!DOCTYPE shs.label SYSTEM "shs-label-1.2.dtd">
<shs.label version="1.2" tx.id="c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01" corr.id="c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01" shs.agreement="9e2d4b60-7a31-4c8e-b5f0-1a2b3c4d5e6f" transfer-type="asynch" message-type="simple" document-type="simple" sequence-type="event" status="production">
  <from commonName="Fiktivkontoret">urn:X-shs:0000000001</from>
  <to commonName="Provmyndigheten">urn:X-shs:0000000002.ekonomi</to>
  <product commonName="Provunderlag">urn:X-shs:5a1e0000-1111-4222-8333-444455557777</product>
  <meta name="period">2031-02</meta>
  <subject>Underlag februari</subject>
  <datetime>2031-03-04T10:00:00</datetime>
  <content content.id="c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c02">
    <data datapartType="underlag" filename="underlag.csv" no-of-bytes="26" no-of-records="2"/>
    <comment>K&#246;rning 1</comment>
  </content>
</shs.label>"#;

    fn event() -> Label {
        Label::read(EVENT.as_bytes(), None, &Limits::default()).unwrap()
    }

    fn actor(address: &str, name: Option<&str>) -> Actor {
        Actor::new(Adress::parse(address).unwrap(), name.map(str::to_owned))
    }

    fn receive(label: &mut Label) {
        label.received(
            NodeId::parse("prov-nod-1").unwrap(),
            LocalId::parse("40c7a6c1-5f0f-4a55-9f0a-6b1f8f0e7d10").unwrap(),
            "2031-03-04T09:00:02.7Z".parse().unwrap(),
        );
    }

    #[test]
    fn the_history_entry_is_that_of_9_4() {
        let mut label = event();
        receive(&mut label);
        let entry = r#"</content>
  <history node.id="prov-nod-1" content.id="c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c02" tx.id="c41f7a10-2b6d-4e5c-8f93-0d1e2a3b4c01" from="urn:X-shs:0000000001" to="urn:X-shs:0000000002.ekonomi" local.id="40c7a6c1-5f0f-4a55-9f0a-6b1f8f0e7d10" shs.agreement="9e2d4b60-7a31-4c8e-b5f0-1a2b3c4d5e6f">
    <datetime>2031-03-04T10:00:02</datetime>
    <comment>Received</comment>
  </history>
</shs.label>"#;
        let expected = EVENT.replace("</content>\n</shs.label>", entry);
        assert_eq!(String::from_utf8(label.write()).unwrap(), expected);
    }

    #[test]
    fn a_second_node_appends_its_entry_at_the_end() {
        let mut label = event();
        receive(&mut label);
        let first = label.history[0].clone();
        label.agreement = None;
        label.to = None;
        receive(&mut label);
        assert_eq!(label.history.len(), 2);
        assert_eq!(label.history[0], first);
        assert_eq!(
            (&label.history[1].to, &label.history[1].agreement),
            (&None, &None)
        );
    }

    #[test]
    fn the_own_actor_signs_only_when_nobody_did() {
        let own = actor("0000000009", Some("Egen"));
        let mut label = event();
        label.set_from_if_absent(&own);
        assert_eq!(label, event());
        label.from = None;
        label.set_from_if_absent(&own);
        assert_eq!(label.from, Some(own));
    }

    #[test]
    fn an_address_that_is_there_stays_with_its_inner_id() {
        let other = Adress::parse("0000000003").unwrap();
        let mut label = event();
        label.address_to(other.clone(), Some("Annan".to_owned()));
        assert_eq!(label, event());
        label.to = None;
        label.address_to(other.clone(), Some("Annan".to_owned()));
        assert_eq!(label.to, Some(actor("0000000003", Some("Annan"))));
    }

    #[test]
    fn a_number_that_stands_in_for_a_name_gives_way_to_the_name() {
        let mut label = event();
        let number = |actor: &Actor| Some(actor.address.organisation().as_str().to_owned());
        for actor in [&mut label.from, &mut label.to].into_iter().flatten() {
            actor.common_name = number(actor);
        }
        label.fill_names(Some("A"), None, Some("B"));
        let name = |actor: &Option<Actor>| actor.as_ref().unwrap().common_name.clone();
        assert_eq!(name(&label.from).as_deref(), Some("A"));
        assert_eq!(name(&label.to).as_deref(), Some("B"));
    }

    #[test]
    fn the_directory_fills_only_what_is_empty() {
        let mut label = event();
        label.fill_names(Some("A"), Some("https://a.example"), Some("B"));
        assert_eq!(label, event());
        for nothing in [None, Some(String::new()), Some(" ".to_owned())] {
            let mut label = event();
            label
                .from
                .as_mut()
                .unwrap()
                .common_name
                .clone_from(&nothing);
            label.to.as_mut().unwrap().common_name = nothing;
            label.fill_names(Some("A"), Some("https://a.example"), Some("B"));
            let from = label.from.as_ref().unwrap();
            assert_eq!(from.common_name.as_deref(), Some("A"));
            assert_eq!(from.labeled_uri.as_deref(), Some("https://a.example"));
            assert_eq!(label.to.unwrap().common_name.as_deref(), Some("B"));
        }
        let mut label = event();
        label.from.as_mut().unwrap().common_name = None;
        label.to = None;
        label.fill_names(None, Some("https://a.example"), Some("B"));
        assert_eq!(label.from.unwrap().labeled_uri, None);
        assert_eq!(label.to, None);
    }

    #[test]
    fn a_copy_for_one_of_several_receivers_is_a_transfer_of_its_own() {
        let mut original = event();
        original.to = None;
        receive(&mut original);
        let receiver = actor("0000000003.a", Some("Tredje"));
        let copy = original.copy_for(receiver.clone());
        assert_ne!(copy.tx_id, original.tx_id);
        assert_ne!(copy.tx_id, original.copy_for(receiver.clone()).tx_id);
        let expected = Label {
            tx_id: copy.tx_id.clone(),
            to: Some(receiver),
            history: Vec::new(),
            ..original
        };
        assert_eq!(copy, expected);
    }
}
