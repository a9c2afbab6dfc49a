//! A window that wants to be looked at.
//!
//! Decides nothing: how loud a desktop says so is for it to say.

use slint::ComponentHandle;
use slint::winit_030::WinitWindowAccessor;
use slint::winit_030::winit::window::UserAttentionType;

/// To the front, with the keys: somebody looks for it, or a question waits.
pub(crate) fn present(window: &impl ComponentHandle) {
    window.window().set_minimized(false);
    let _ = window.show();
    window.window().with_winit_window(|winit| {
        winit.request_user_attention(Some(UserAttentionType::Critical));
        winit.focus_window();
    });
}

/// Where it stands, and without the keys, which stay with what the person does.
pub(crate) fn attend(window: &impl ComponentHandle) {
    window.window().with_winit_window(|winit| {
        if !winit.has_focus() {
            winit.request_user_attention(Some(UserAttentionType::Informational));
        }
    });
}
