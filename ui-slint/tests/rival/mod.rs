//! Another program of the same display, which does to a window whatever X lets it.

use std::time::{Duration, Instant};

use x11rb::COPY_DEPTH_FROM_PARENT;
use x11rb::connection::Connection as _;
use x11rb::protocol::shape::{ConnectionExt as _, SK, SO};
use x11rb::protocol::xproto::{
    AtomEnum, ClipOrdering, ConfigureWindowAux, ConnectionExt as _, CreateWindowAux, MapState,
    PropMode, StackMode, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use super::hand::Desk;
use super::{bar, until};

/// T33. A machine that is shared may be late, and not each time.
const WITHIN: Duration = Duration::from_millis(500);
const TRIES: usize = 3;

/// Another program of the same display, and the bar as it stood at first.
pub(crate) struct Rival {
    pub(crate) client: RustConnection,
    root: u32,
    bar: u32,
    /// What may stand above it.
    ours: Vec<u32>,
    pub(crate) whole: (i16, i16, u16, u16),
    opacity: u32,
}

impl Rival {
    pub(crate) fn of(desk: &Desk) -> Self {
        Self::at(desk, bar(desk))
    }

    pub(crate) fn at(desk: &Desk, bar: u32) -> Self {
        let (client, screen) = x11rb::connect(Some(&desk.display)).unwrap();
        let root = client.setup().roots[screen].root;
        let home = client.get_geometry(bar).unwrap().reply().unwrap();
        let whole = (home.x, home.y, home.width, home.height);
        let name = b"_NET_WM_WINDOW_OPACITY";
        let opacity = client.intern_atom(false, name).unwrap().reply().unwrap().atom;
        Self { client, root, bar, ours: vec![bar], whole, opacity }
    }

    /// Where these may stand above it.
    pub(crate) fn beside(self, ours: Vec<u32>) -> Self {
        Self { ours, ..self }
    }

    /// One after the other, each until it stands again, and as often as it takes for that to be in time once.
    pub(crate) fn does_all(&self) {
        let put = ConfigureWindowAux::new;
        let deeds: [(&str, &dyn Fn()); 10] = [
            ("moved off the screen", &|| self.configure(put().x(5000).y(-3000))),
            ("shrunk", &|| self.configure(put().width(1).height(1))),
            ("framed in black", &|| self.configure(put().border_width(300))),
            ("put below all", &|| self.put_below_all()),
            ("put into a hidden window", &|| self.reparent()),
            ("cut out", &|| self.cut(SK::BOUNDING)),
            ("painted nowhere", &|| self.cut(SK::CLIP)),
            ("pressed through", &|| self.cut(SK::INPUT)),
            ("made transparent", &|| self.fade()),
            ("covered from inside", &|| self.put_inside()),
        ];
        for (deed, act) in deeds {
            self.stands_again_in_time(deed, act);
        }
    }

    pub(crate) fn stands_again_in_time(&self, deed: &str, act: &dyn Fn()) {
        let mut took = Vec::new();
        while took.len() < TRIES && took.iter().min().is_none_or(|least| *least > WITHIN) {
            act();
            let done = Instant::now();
            until(&format!("the bar that was {deed} stands again"), || self.sees_it_stand());
            took.push(done.elapsed());
        }
        assert!(took.iter().min() <= Some(&WITHIN), "the bar that was {deed} came up late: {took:?}");
    }

    pub(crate) fn sees_it_stand(&self) -> bool {
        let (client, bar) = (&self.client, self.bar);
        let tree = client.query_tree(self.root).unwrap().reply().unwrap();
        let facts = client.get_window_attributes(bar).unwrap().reply().unwrap();
        let place = client.get_geometry(bar).unwrap().reply().unwrap();
        let cut = client.shape_query_extents(bar).unwrap().reply().unwrap();
        let taken = client.shape_get_rectangles(bar, SK::INPUT).unwrap().reply().unwrap().rectangles;
        let faded = client.get_property(false, bar, self.opacity, AtomEnum::CARDINAL, 0, 1).unwrap();
        let inside = client.query_tree(bar).unwrap().reply().unwrap().children;
        let mut above = tree.children.iter().rev().take_while(|window| **window != bar);
        tree.children.contains(&bar)
            && above.all(|window| self.ours.contains(window))
            && facts.map_state == MapState::VIEWABLE
            && (place.x, place.y, place.width, place.height) == self.whole
            && place.border_width == 0
            && !cut.bounding_shaped
            && !cut.clip_shaped
            && taken.iter().any(|part| part.width >= self.whole.2 && part.height >= self.whole.3)
            && faded.reply().unwrap().value_len == 0
            && !inside.into_iter().any(|window| self.sees(window))
    }

    fn sees(&self, window: u32) -> bool {
        let facts = self.client.get_window_attributes(window).unwrap().reply();
        facts.is_ok_and(|facts| facts.map_state == MapState::VIEWABLE)
    }

    pub(crate) fn cover(&self) {
        let cover = self.window((1024, 200), 1);
        self.client.map_window(cover).unwrap().check().unwrap();
    }

    /// As large as the bar, and a part of it to whoever looks at the order of the windows alone.
    fn put_inside(&self) {
        let (width, height) = (self.whole.2, self.whole.3);
        let inside = self.window((width, height), 1);
        self.client.reparent_window(inside, self.bar, 0, 0).unwrap().check().unwrap();
        self.client.map_window(inside).unwrap().check().unwrap();
        let made = self.client.generate_id().unwrap();
        let (depth, kind) = (COPY_DEPTH_FROM_PARENT, WindowClass::INPUT_OUTPUT);
        let aux = CreateWindowAux::new();
        self.client
            .create_window(depth, made, self.bar, 0, 0, width, height, 0, kind, 0, &aux)
            .unwrap()
            .check()
            .unwrap();
        self.client.map_window(made).unwrap().check().unwrap();
    }

    fn configure(&self, aux: ConfigureWindowAux) {
        self.client.configure_window(self.bar, &aux).unwrap().check().unwrap();
    }

    /// Also below one that is as large as the screen: what nothing lies on may stand anywhere.
    fn put_below_all(&self) {
        let below = ConfigureWindowAux::new().stack_mode(StackMode::BELOW);
        let ground = self.window((1024, 800), 1);
        self.client.map_window(ground).unwrap().check().unwrap();
        self.client.configure_window(ground, &below).unwrap().check().unwrap();
        self.configure(below);
    }

    fn reparent(&self) {
        let hidden = self.window((9, 9), 0);
        self.client.reparent_window(self.bar, hidden, 0, 0).unwrap().check().unwrap();
    }

    fn cut(&self, kind: SK) {
        let order = ClipOrdering::UNSORTED;
        let cut = self.client.shape_rectangles(SO::SET, kind, order, self.bar, 0, 0, &[]).unwrap();
        cut.check().unwrap();
    }

    fn fade(&self) {
        let (bar, kind) = (self.bar, AtomEnum::CARDINAL);
        let set = self.client.change_property32(PropMode::REPLACE, bar, self.opacity, kind, &[0]);
        set.unwrap().check().unwrap();
    }

    /// In the upper left corner, not seen yet.
    pub(crate) fn window(&self, (width, height): (u16, u16), unmanaged: u32) -> u32 {
        let (made, depth, kind) =
            (self.client.generate_id().unwrap(), COPY_DEPTH_FROM_PARENT, WindowClass::INPUT_OUTPUT);
        let aux = CreateWindowAux::new().override_redirect(unmanaged);
        self.client
            .create_window(depth, made, self.root, 0, 0, width, height, 0, kind, 0, &aux)
            .unwrap();
        made
    }
}
