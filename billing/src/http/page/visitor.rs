//! Who visits the page, and what it may do there.

use uuid::Uuid;

use crate::audit::Actor;
use crate::principal::{Principal, Role};

/// Somebody who may read the page.
pub(super) struct Visitor {
    /// Who it is.
    pub(super) principal: Principal,
    /// The ID of the call.
    pub(super) call: Option<Uuid>,
    /// Whether there is a session to sign out of.
    pub(super) has_session: bool,
}

/// Somebody who may press its buttons.
pub(super) struct Operator(pub(super) Visitor);

impl Visitor {
    /// The same as one who changes something.
    pub(super) fn actor(&self) -> Actor {
        Actor::Caller { principal: self.principal.clone(), call: self.call }
    }

    /// Whether it may press buttons.
    pub(super) fn is_operator(&self) -> bool {
        matches!(
            self.principal,
            Principal::Anybody | Principal::Holder { role: Role::Operator, .. }
        )
    }

    /// Whether it may do everything because no token has ever been made.
    pub(super) fn is_anybody(&self) -> bool {
        self.principal == Principal::Anybody
    }
}
