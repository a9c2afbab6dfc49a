//! What a screen reader is told, over the desktop's real accessibility bus (AT-SPI).

use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use zbus::Connection;
use zbus::connection::Builder;
use zbus::zvariant::{DynamicType, OwnedObjectPath, Type, Value};

use crate::hand::PATIENCE;

/// AT-SPI's numbers of roles and states (atspi-constants.h).
pub(crate) const LABEL: u32 = 29;
pub(crate) const GROUP: u32 = 39;
pub(crate) const BUTTON: u32 = 43;
pub(crate) const ENTRY: u32 = 79;
/// Of a box that is ticked and of a switch that is on.
pub(crate) const ON: u64 = 1 << 4 | 1 << 20;
const FOCUSED: u64 = 1 << 12;

/// What a screen reader is told of one thing in a window.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    program: String,
    pub(crate) path: OwnedObjectPath,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) role: u32,
    pub(crate) states: u64,
}

impl Node {
    pub(crate) fn is(&self, role: u32, name: &str) -> bool {
        self.role == role && self.name == name
    }
}

/// As AT-SPI sends it: itself, its program, its parent, its place and its children's number, interfaces, name,
/// role, description, states.
type Cached = (Place, Place, Place, i32, i32, Vec<String>, String, u32, String, Vec<u32>);
type Place = (String, OwnedObjectPath);

pub(crate) struct Reader {
    runtime: Runtime,
    bus: Connection,
}

impl Reader {
    /// Says on the session's bus that there is one, as all do; only then do programs describe their windows.
    pub(crate) fn listen(session: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let bus = runtime.block_on(async {
            let session = Builder::address(session).unwrap().build().await.unwrap();
            let (name, path) = (Some("org.a11y.Bus"), "/org/a11y/bus");
            let wanted = ("org.a11y.Status", "IsEnabled", Value::from(true));
            let properties = Some("org.freedesktop.DBus.Properties");
            session.call_method(name, path, properties, "Set", &wanted).await.expect("at-spi2-core");
            let told = session.call_method(name, path, name, "GetAddress", &()).await.unwrap();
            let address: String = told.body().deserialize().unwrap();
            Builder::address(address.as_str()).unwrap().build().await.unwrap()
        });
        Self { runtime, bus }
    }

    fn ask<A, T>(
        &self,
        (program, path): (&str, &str),
        interface: &str,
        method: &str,
        with: &A,
    ) -> zbus::Result<T>
    where
        A: serde::Serialize + DynamicType,
        T: for<'a> serde::Deserialize<'a> + Type,
    {
        let interface = format!("org.a11y.atspi.{interface}");
        self.runtime.block_on(async {
            let interface = Some(interface.as_str());
            let told = self.bus.call_method(Some(program), path, interface, method, with).await?;
            told.body().deserialize()
        })
    }

    /// All of the window that came last; none while there is none.
    pub(crate) fn nodes(&self) -> Vec<Node> {
        let registry = ("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root");
        let programs: zbus::Result<Vec<Place>> = self.ask(registry, "Accessible", "GetChildren", &());
        let Some((program, _)) = programs.unwrap().pop() else { return Vec::new() };
        let cache = (program.as_str(), "/org/a11y/atspi/cache");
        let nodes: zbus::Result<Vec<Cached>> = self.ask(cache, "Cache", "GetItems", &());
        let nodes = nodes.unwrap_or_default().into_iter();
        let words = |states: Vec<u32>| {
            states.iter().rev().fold(0, |states, word| states << 32 | u64::from(*word))
        };
        nodes
            .map(|(itself, _, _, _, _, _, name, role, description, states)| Node {
                program: itself.0,
                path: itself.1,
                name,
                description,
                role,
                states: words(states),
            })
            .collect()
    }

    pub(crate) fn focused(&self) -> Option<Node> {
        self.nodes().into_iter().find(|node| node.states & FOCUSED != 0)
    }

    pub(crate) fn wait_for(&self, role: u32, name: &str) -> Node {
        let find = || self.nodes().into_iter().find(|node| node.is(role, name));
        until_some(name, find, || format!("{:#?}", self.nodes()))
    }

    pub(crate) fn wait_for_focus(&self, role: u32, name: &str) -> Node {
        let find = || self.focused().filter(|node| node.is(role, name));
        until_some(&format!("the focus on {name}"), find, || format!("{:?}", self.focused()))
    }

    /// The one action that everything has that can be pressed.
    pub(crate) fn press(&self, node: &Node) {
        let done: zbus::Result<bool> = self.ask(node.place(), "Action", "DoAction", &(0i32));
        assert!(done.unwrap(), "{} takes no action", node.name);
    }

    pub(crate) fn give_focus(&self, node: &Node) {
        let _: zbus::Result<bool> = self.ask(node.place(), "Component", "GrabFocus", &());
    }

    pub(crate) fn text(&self, node: &Node) -> String {
        self.ask(node.place(), "Text", "GetText", &(0i32, -1i32)).unwrap()
    }

    /// On the screen.
    pub(crate) fn place(&self, node: &Node) -> (i32, i32, i32, i32) {
        let ((left, top, width, height),) =
            self.ask(node.place(), "Component", "GetExtents", &(0u32)).unwrap();
        (left, top, width, height)
    }

    pub(crate) fn inject_click(&self, x: i32, y: i32) {
        let path = "/org/a11y/atspi/registry/deviceeventcontroller";
        let with = (x, y, "b1c");
        let registry = ("org.a11y.atspi.Registry", path);
        self.ask::<_, ()>(registry, "DeviceEventController", "GenerateMouseEvent", &with).unwrap();
    }
}

impl Node {
    fn place(&self) -> (&str, &str) {
        (&self.program, self.path.as_str())
    }
}

pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    until_some(what, || condition().then_some(()), String::new);
}

pub(crate) fn until_some<T>(
    what: &str,
    mut find: impl FnMut() -> Option<T>,
    say: impl Fn() -> String,
) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: {}", say());
        std::thread::sleep(Duration::from_millis(50));
    }
}
