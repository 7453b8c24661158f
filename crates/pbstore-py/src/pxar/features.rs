//! What of a tree's metadata can be left out, by name.

use pbstore_pxar::Flags;
use pyo3::prelude::*;

use crate::errors::exceptions;

/// Names of what can be left out.
const FEATURES: [(&str, Flags); 8] = [
    ("acls", Flags::ACL),
    ("device-nodes", Flags::DEVICE_NODES),
    ("fcaps", Flags::FCAPS),
    ("fifos", Flags::FIFOS),
    ("ownership", Flags::OWNERSHIP),
    ("permissions", Flags::PERMISSIONS),
    ("sockets", Flags::SOCKETS),
    ("xattrs", Flags::XATTRS),
];

/// The default features without the named ones.
pub(super) fn features(without: &[String]) -> PyResult<Flags> {
    let mut features = Flags::DEFAULT;
    for name in without {
        let Some((_, flag)) = FEATURES.iter().find(|(known, _)| known == name) else {
            let known: Vec<_> = FEATURES.iter().map(|(known, _)| *known).collect();
            let text = format!("'{name}' cannot be left out, only {}", known.join(", "));
            return Err(exceptions::PbstoreError::new_err(text));
        };
        features = features.without(*flag);
    }
    Ok(features)
}
