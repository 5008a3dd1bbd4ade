//! Why the directory gave no answer. Nothing that the server wrote is repeated.

/// Why a search came to nothing. Reads on from "the SHS directory".
#[derive(Clone, Debug, thiserror::Error)]
pub enum LdapFault {
    /// No connection: nobody listens there, or TLS fails.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// No connection within the time for it.
    #[error("gives no connection within the time")]
    ConnectTimeout,
    /// The server does not know the node.
    #[error("refuses the node's name and password (LDAP result {0})")]
    Bind(u32),
    /// No answer within the time for it.
    #[error("does not answer within the time")]
    SearchTimeout,
    /// The connection ended during the search.
    #[error("closed the connection")]
    Lost,
    /// The server does not do this search: a base that does not exist, missing rights, and the like.
    #[error("refuses the search (LDAP result {0})")]
    Refused(u32),
}

/// Certificates that cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
#[error("ldap.ca_file: {0}")]
pub struct TlsFault(pub(super) String);
