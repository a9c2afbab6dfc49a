//! Another password for one's own account.
//!
//! Decides what the dialog says. Passwords pass through and are not kept; the server judges the new one.

use tasuki_peer::shell::fault::Fault;

use super::ending;
use super::entrance::is_sign_in_over;
use super::model::{Busy, Model, Stage, ToastWhat};
use super::update::{Effect, Secret, say};

/// The dialog, while it is open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changing {
    pub busy: Busy,
    pub trouble: Option<Trouble>,
}

/// Why nothing was changed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    NoOld,
    NoNew,
    /// The two entries of the new one.
    Differ,
    WrongOld,
    /// Too short, guessed easily, or known from a breach.
    Unusable,
    Failed(Fault),
}

#[derive(Debug)]
pub enum Msg {
    Open(bool),
    /// Into any of the fields.
    Typed,
    Submit {
        old: Secret,
        new: Secret,
        again: Secret,
    },
    Answered(Result<(), Fault>),
}

pub(super) fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Open(open) => {
            model.password = open.then(Changing::default);
            Vec::new()
        }
        Msg::Typed => {
            if let Some(changing) = &mut model.password {
                changing.trouble = None;
            }
            Vec::new()
        }
        Msg::Submit { old, new, again } => submit(model, old, new, &again),
        Msg::Answered(answer) => answered(model, answer),
    }
}

fn submit(model: &mut Model, old: Secret, new: Secret, again: &Secret) -> Vec<Effect> {
    let Some(changing) = model.password.as_mut().filter(|changing| changing.busy == Busy::Idle) else {
        return Vec::new();
    };
    changing.trouble = if old.0.is_empty() {
        Some(Trouble::NoOld)
    } else if new.0.is_empty() {
        Some(Trouble::NoNew)
    } else if new != *again {
        Some(Trouble::Differ)
    } else {
        None
    };
    if changing.trouble.is_some() {
        return Vec::new();
    }
    changing.busy = Busy::Working;
    vec![Effect::ChangePassword { old, new }]
}

/// Whoever has closed the dialog meanwhile hears of it in passing.
fn answered(model: &mut Model, answer: Result<(), Fault>) -> Vec<Effect> {
    let fault = match answer {
        Ok(()) => {
            model.password = None;
            return say(model, ToastWhat::PasswordChanged);
        }
        Err(fault) => fault,
    };
    // Sessions that run need no sign-in, and are not ended for want of one.
    if is_sign_in_over(&fault) && model.tabs.iter().all(|tab| matches!(tab.stage, Stage::Over(_))) {
        model.password = None;
        return ending::sign_in_again(model, &fault);
    }
    let Some(changing) = &mut model.password else { return say(model, ToastWhat::Failed(fault)) };
    changing.busy = Busy::Idle;
    changing.trouble = Some(if fault == Fault::WrongPassword {
        Trouble::WrongOld
    } else if matches!(fault, Fault::PasswordUnusable | Fault::PasswordBreached) {
        Trouble::Unusable
    } else {
        Trouble::Failed(fault)
    });
    Vec::new()
}

/// The dialog in its states, over the page that has it.
pub(super) fn made_up(page: impl Fn() -> Model) -> Vec<(&'static str, Model)> {
    let with = |trouble| {
        let changing = Changing { trouble, ..Changing::default() };
        Model { password: Some(changing), ..page() }
    };
    vec![
        ("operator-dialog-password", with(None)),
        ("operator-dialog-password-wrong", with(Some(Trouble::WrongOld))),
        ("operator-dialog-password-unusable", with(Some(Trouble::Unusable))),
    ]
}

#[cfg(test)]
mod tests {
    use tasuki_peer::shell::texts::Lang;

    use super::super::model::Door;
    use super::super::scenes;
    use super::*;
    use crate::look::Shade;

    fn typed(old: &str, new: &str, again: &str) -> Msg {
        Msg::Submit { old: old.into(), new: new.into(), again: again.into() }
    }

    fn trouble(model: &Model) -> Option<&Trouble> {
        model.password.as_ref().and_then(|changing| changing.trouble.as_ref())
    }

    #[test]
    fn s62_nothing_is_sent_before_the_old_password_and_twice_the_new_one_are_typed() {
        let mut model = Model::new(Lang::En, 1000);
        assert!(update(&mut model, typed("old", "new", "new")).is_empty(), "the dialog is not open");
        let _ = update(&mut model, Msg::Open(true));
        for (msg, why) in [
            (typed("", "new", "new"), Trouble::NoOld),
            (typed("old", "", ""), Trouble::NoNew),
            (typed("old", "new", "now"), Trouble::Differ),
        ] {
            assert!(update(&mut model, msg).is_empty());
            assert_eq!(trouble(&model), Some(&why));
            let _ = update(&mut model, Msg::Typed);
            assert_eq!(trouble(&model), None, "it is being mended");
        }
        let sent = update(&mut model, typed("old", "new", "new"));
        assert!(matches!(&sent[..], [Effect::ChangePassword { .. }]));
        assert!(update(&mut model, typed("old", "new", "new")).is_empty(), "once");
    }

    #[test]
    fn s62_what_the_server_says_of_a_new_password_stands_in_the_dialog_or_is_told_in_passing() {
        let mut model = Model::new(Lang::En, 1000);
        for (fault, why) in [
            (Fault::WrongPassword, Trouble::WrongOld),
            (Fault::PasswordUnusable, Trouble::Unusable),
            (Fault::PasswordBreached, Trouble::Unusable),
            (Fault::Unavailable, Trouble::Failed(Fault::Unavailable)),
        ] {
            let _ = update(&mut model, Msg::Open(true));
            let _ = update(&mut model, typed("old", "new", "new"));
            let _ = update(&mut model, Msg::Answered(Err(fault)));
            assert_eq!(trouble(&model), Some(&why));
            assert_eq!(update(&mut model, typed("old", "new", "new")).len(), 1, "and once more");
        }
        let _ = update(&mut model, Msg::Answered(Ok(())));
        assert_eq!(model.password, None);
        let told = model.toast.take().map(|toast| toast.what);
        assert_eq!(told, Some(ToastWhat::PasswordChanged));
        let _ = update(&mut model, Msg::Answered(Err(Fault::Unavailable)));
        let told = model.toast.map(|toast| toast.what);
        assert_eq!(told, Some(ToastWhat::Failed(Fault::Unavailable)), "the dialog was closed");
    }

    #[test]
    fn s31_a_session_that_runs_is_not_ended_because_a_password_cannot_be_changed() {
        let scenes = scenes::all(Lang::En, Shade::Light);
        let scene = scenes.into_iter().find(|scene| scene.name == "operator-viewer").unwrap();
        let mut model = scene.model;
        let _ = update(&mut model, Msg::Open(true));
        let _ = update(&mut model, typed("old", "new", "new"));
        assert!(update(&mut model, Msg::Answered(Err(Fault::SignInOver))).is_empty());
        assert_eq!(trouble(&model), Some(&Trouble::Failed(Fault::SignInOver)));
        model.tabs.clear();
        let _ = update(&mut model, typed("old", "new", "new"));
        let _ = update(&mut model, Msg::Answered(Err(Fault::SignInOver)));
        assert!(matches!(model.door, Door::Out(_)), "nothing runs: the page to sign in");
    }
}
